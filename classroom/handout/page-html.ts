import { toString as qrText } from "qrcode";
import type { Block, Page } from "./page.ts";

// Fonts that there are: nothing is fetched, and black on white is printed as well as seen.
const style = `
@page { size: A4; margin: 10mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 8mm; max-width: 210mm; color: #000; background: #fff; font: 9.5pt/1.35 "Pretendard", "Noto Sans KR", "Malgun Gothic", "Apple SD Gothic Neo", NanumGothic, "Nanum Gothic", system-ui, sans-serif; word-break: keep-all; }
header { display: flex; justify-content: space-between; gap: 8mm; border-bottom: 2px solid #000; }
h1 { margin: 0; font-size: 13pt; font-weight: normal; }
h1 + p { margin: 0 0 2mm; font-size: 22pt; font-weight: bold; line-height: 1.2; }
h2 { margin: 3mm 0 1mm; font-size: 11.5pt; break-after: avoid; }
p { margin: 1mm 0; }
pre { margin: 0.5mm 0 1.5mm; padding: 1mm 2mm; border: 1px solid #767676; font: bold 10pt/1.35 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; break-inside: avoid; }
table { width: 100%; border-collapse: collapse; margin: 1mm 0; font-size: 9pt; }
th, td { padding: 0.8mm 1.5mm; border: 1px solid #767676; text-align: left; vertical-align: top; }
td { white-space: pre-line; }
td:first-child { white-space: pre; }
td:last-child { overflow-wrap: anywhere; }
@media (max-width: 600px) { table { display: block; overflow-x: auto; } td:last-child { overflow-wrap: normal; } }
tr { break-inside: avoid; }
figure { margin: 0 0 2mm; width: 50mm; text-align: center; font-size: 7.5pt; overflow-wrap: anywhere; }
figcaption { white-space: pre-line; }
figure svg { width: 28mm; height: 28mm; display: block; margin: 0 auto; }
footer { margin-top: 3mm; padding-top: 1mm; border-top: 1px solid #767676; font-size: 9pt; }
@media print { body { padding: 0; font-size: 9pt; } pre { font-size: 9pt; } table { font-size: 8pt; } h1 + p { font-size: 18pt; } figure svg { width: 22mm; height: 22mm; } }
`;

/** The page as one HTML file that needs no other. */
export async function pageHtml(page: Page): Promise<string> {
  const { language, title, subtitle, blocks, qr, footer } = page;
  const code = qr ? `<figure>${await qrText(qr.text, { type: "svg", margin: 1, errorCorrectionLevel: "M" })}<figcaption>${escaped(qr.caption)}</figcaption></figure>` : "";
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${subtitle} · ${title}`)}</title>
<style>${style}</style>
</head>
<body>
<header><div><h1>${escaped(title)}</h1><p>${escaped(subtitle)}</p></div>${code}</header>
<main>
${blocks.map(blockHtml).join("\n")}
</main>
<footer>${escaped(footer)}</footer>
</body>
</html>
`;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `<h2>${escaped(block.text)}</h2>`;
    case "text":
      return `<p>${escaped(block.text)}</p>`;
    case "commands":
      return `<p>${escaped(block.label)}</p><pre>${escaped(block.lines.join("\n"))}</pre>`;
    case "table": {
      const row = (cells: readonly string[], tag: string) => `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag.split(" ")[0]}>`).join("")}</tr>`;
      return `<table><thead>${row(block.head, 'th scope="col"')}</thead><tbody>${block.rows.map((cells) => row(cells, "td")).join("")}</tbody></table>`;
    }
  }
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => entities[letter]!);

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import pdfmake from "pdfmake";
import type { Column, Content } from "pdfmake/interfaces.js";
import type { Block, Page } from "./page.ts";

const require = createRequire(import.meta.url);

/**
 * Nanum Gothic (SIL Open Font License), which has every Hangul syllable. The glyph of the space is empty and stands at the very end of
 * the file, and fontkit reads the head that an empty glyph does not have: so there is something to read.
 */
function fontFile(weight: string): Buffer {
  const font = readFileSync(require.resolve(`@expo-google-fonts/nanum-gothic/${weight}/NanumGothic_${weight}.ttf`));
  return Buffer.concat([font, Buffer.alloc(16)]);
}

// pdfmake's files in memory, which its types leave out.
const { virtualfs } = pdfmake as unknown as { virtualfs: { writeFileSync(name: string, content: Buffer): void } };
virtualfs.writeFileSync("regular", fontFile("400Regular"));
virtualfs.writeFileSync("bold", fontFile("700Bold"));
pdfmake.setFonts({
  Nanum: { normal: "regular", bold: "bold", italics: "regular", bolditalics: "bold" },
  // Every PDF reader has it.
  Courier: { normal: "Courier", bold: "Courier-Bold", italics: "Courier", bolditalics: "Courier-Bold" },
});
// Nothing else is fetched or read.
pdfmake.setUrlAccessPolicy(() => false);
pdfmake.setLocalAccessPolicy((path) => path.startsWith("Courier"));

/** Points in a millimetre. */
const mm = 72 / 25.4;

/** The page as a PDF on A4, with its fonts in it. */
export async function pagePdf({ language, title, subtitle, blocks, qr, footer }: Page): Promise<Uint8Array> {
  const heading: Content = { stack: [{ text: title, fontSize: 12 }, { text: subtitle, fontSize: 20, bold: true }] };
  const code: Column[] = qr ? [{ width: 34 * mm, stack: [{ qr: qr.text, fit: 26 * mm, alignment: "center" }, { text: qr.caption, fontSize: 6.5, alignment: "center", margin: [0, 2, 0, 0] }] }] : [];
  const line = (lineWidth: number): Content => ({ canvas: [{ type: "line", x1: 0, y1: 0, x2: 182 * mm, y2: 0, lineWidth }], margin: [0, 3, 0, 3] });
  const document = pdfmake.createPdf({
    pageSize: "A4",
    pageMargins: 14 * mm,
    language,
    info: { title: `${subtitle} · ${title}` },
    defaultStyle: { font: "Nanum", fontSize: 10, lineHeight: 1.2 },
    content: [{ columns: [heading, ...code] }, line(1.5), ...blocks.map(blockContent), line(0.5), { text: footer, fontSize: 8 }],
  });
  return document.getBuffer();
}

function blockContent(block: Block): Content {
  switch (block.kind) {
    case "heading":
      return { text: block.text, fontSize: 11.5, bold: true, margin: [0, 9, 0, 3] };
    case "text":
      return { text: block.text, margin: [0, 2, 0, 2] };
    case "commands":
      return {
        stack: [
          { text: block.label, margin: [0, 3, 0, 2] },
          { table: { widths: ["*"], body: [[{ text: block.lines.join("\n"), font: "Courier", bold: true, fontSize: 10.5, margin: [0, 2, 0, 0] }]] }, layout: boxLayout },
        ],
        unbreakable: true,
      };
    case "table":
      return {
        table: {
          headerRows: 1,
          dontBreakRows: true,
          widths: block.head.map((_, index) => (index === block.head.length - 1 ? "*" : "auto")),
          body: [block.head.map((text) => ({ text, bold: true })), ...block.rows.map((cells) => cells.map((text) => ({ text })))],
        },
        fontSize: 8.5,
        layout: boxLayout,
        margin: [0, 2, 0, 2],
      };
  }
}

const boxLayout = { hLineWidth: () => 0.5, vLineWidth: () => 0.5, hLineColor: () => "#767676", vLineColor: () => "#767676" };

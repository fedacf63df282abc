import type { Words } from "../words.ts";

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A text as it stands in HTML. */
const html = (text: string): string => text.replace(/[&<>"']/g, (letter) => escapes[letter]!);

/** The page without its tiles, which it gets from the stream. Words that its script puts in are attributes of the body. */
export function pageOf(className: string, words: Words): string {
  const button = (id: string, group: string, pressed: boolean, text: string) => `<button type="button" id="${id}" data-group="${group}" aria-pressed="${pressed}">${html(text)}</button>`;
  const spoken = { secondsAgo: words.secondsAgo, minutesAgo: words.minutesAgo, notYet: words.notYet, lost: words.lost };
  const attributes = Object.entries(spoken).map(([name, text]) => ` data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}="${html(text)}"`);
  return `<!doctype html>
<html lang="${words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(className)} – ${html(words.title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/board.css">
<script type="module" src="/board.js"></script>
</head>
<body${attributes.join("")}>
<header>
<h1>${html(className)}</h1>
<p id="counts" role="status"></p>
<div role="group">${button("all", "filter", true, words.all)}${button("needs", "filter", false, words.onlyNeeds)}</div>
<div role="group">${button("order", "sort", true, words.inOrder)}${button("urgency", "sort", false, words.byNeed)}</div>
<time id="clock"></time>
</header>
<p id="lost" role="alert" hidden></p>
<noscript>${html(words.noScript)}</noscript>
<main><p id="nobody" hidden>${html(words.nobodyNeeds)}</p><ul id="tiles"></ul></main>
</body>
</html>
`;
}

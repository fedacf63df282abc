// The board's page: puts what the stream of the server says into tiles. It writes texts only, never HTML: some come from machines on which
// students are root.

/** @typedef {import("../tile.ts").Tile} Tile */

/** Without a word for this long the board is gone, whatever the connection looks like; it says something every 3 s. */
const silenceMs = 10_000;
/** A tile that was not looked at for this long is old. */
const oldMs = 90_000;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {T} */ (document.getElementById(id));
const tiles = element("tiles");
const counts = element("counts");
const lost = element("lost");
const spoken = /** @type {{ secondsAgo: string, minutesAgo: string, notYet: string, lost: string }} */ (/** @type {unknown} */ (document.body.dataset));

/** In the roster's order. @type {Map<string, Tile>} */
const seen = new Map();
/** @type {Map<string, HTMLLIElement>} */
const drawn = new Map();
/** What is chosen stands in the address, so that it is there again after a reload. */
const chosen = new Set(location.hash.slice(1).split("+").filter(Boolean));
/** The server's clock less this computer's, in milliseconds. */
let clockOffset = 0;
let heard = Date.now();
/** When the connection was lost; 0 while it is there. */
let lostSince = 0;
/** @type {EventSource | undefined} */
let stream;

/** @param {string} tag @param {string} name @param {string} text */
function part(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
}

/** @param {Tile} tile */
function draw(tile) {
  const node = document.createElement("li");
  node.className = `tile ${tile.need} ${tile.state}`;
  node.dataset.id = tile.id;
  node.dataset.state = tile.state;
  const state = part("p", "state", "");
  state.append(part("span", "symbol", tile.symbol), part("span", "word", tile.word));
  const who = part("h2", "who", "");
  who.append(part("span", "id", tile.id), part("span", "name", tile.name));
  const facts = part("dl", "facts", "");
  for (const { label, value, bad } of tile.facts) {
    const fact = part("div", bad ? "fact bad" : "fact", "");
    fact.append(part("dt", "label", label), part("dd", "value", bad ? `! ${value}` : value));
    facts.append(fact);
  }
  const said = part("div", "said", "");
  if (tile.doing) said.append(part("p", "doing", tile.doing));
  if (tile.problem) said.append(part("p", "problem", tile.problem));
  if (tile.next) said.append(part("p", "next", `→ ${tile.next}`));
  said.title = [tile.problem, tile.next].filter(Boolean).join("\n");
  node.append(state, who, facts, said, part("p", "age", ""));
  return node;
}

/** @param {Tile} tile */
function show(tile) {
  seen.set(tile.id, tile);
  const node = draw(tile);
  drawn.get(tile.id)?.replaceWith(node);
  drawn.set(tile.id, node);
}

/** Puts the tiles that are wanted in the order that is wanted, as large as all of them fit. */
function arrange() {
  const all = [...seen.values()];
  const wanted = chosen.has("needs") ? all.filter(({ need }) => need !== "nothing") : all;
  const sorted = chosen.has("urgency") ? wanted.toSorted((a, b) => b.urgency - a.urgency) : wanted;
  const nodes = sorted.map(({ id }) => /** @type {HTMLLIElement} */ (drawn.get(id)));
  // Only what is not as it should be is touched, so that a reader of the screen is not begun anew.
  if (nodes.length !== tiles.children.length || nodes.some((node, index) => tiles.children[index] !== node)) tiles.replaceChildren(...nodes);
  element("nobody").hidden = nodes.length > 0 || seen.size === 0;
  tiles.style.setProperty("--columns", String(columnsFor(nodes.length)));
  for (const button of document.querySelectorAll("button")) {
    const on = button.id === "needs" || button.id === "urgency" ? chosen.has(button.id) : !chosen.has(button.id === "all" ? "needs" : "urgency");
    button.setAttribute("aria-pressed", String(on));
  }
  count(all);
}

/** The number of columns with which the tiles are largest; they are best a little wider than high. @param {number} number */
function columnsFor(number) {
  const { clientWidth: width, clientHeight: height } = /** @type {HTMLElement} */ (tiles.parentElement);
  let best = { columns: 1, size: 0 };
  for (let columns = 1; columns <= number; columns += 1) {
    const size = Math.min(width / columns, (1.1 * height) / Math.ceil(number / columns));
    if (size > best.size) best = { columns, size };
  }
  return best.columns;
}

/** How many are in each state. @param {Tile[]} all */
function count(all) {
  /** @type {Map<string, { text: string, number: number, urgency: number }>} */
  const states = new Map();
  for (const { symbol, word, urgency } of all) {
    const text = `${symbol} ${word}`;
    const known = states.get(text) ?? { text, number: 0, urgency };
    states.set(text, { ...known, number: known.number + 1 });
  }
  const said = [...states.values()].toSorted((a, b) => a.urgency - b.urgency).map(({ text, number }) => `${text} ${number}`).join("   ");
  if (counts.textContent !== said) counts.textContent = said;
}

/** `18:03:09`, whatever the country. @param {number} at in milliseconds since 1970 */
const timeText = (at) => new Date(at).toTimeString().slice(0, 8);

/** @param {number} ms */
function ageText(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 60 ? spoken.secondsAgo.replace("{}", String(seconds)) : spoken.minutesAgo.replace("{}", String(Math.floor(seconds / 60)));
}

/** What goes on without a word from the server: the time, and that there was none. */
function tick() {
  const now = Date.now();
  element("clock").textContent = timeText(now).slice(0, 5);
  for (const [id, node] of drawn) {
    const at = seen.get(id)?.lookedAt ?? 0;
    const age = now + clockOffset - at;
    /** @type {HTMLElement} */ (node.querySelector(".age")).textContent = at === 0 ? spoken.notYet : ageText(age);
    node.classList.toggle("old", at !== 0 && age > oldMs);
  }
  if (now - heard > silenceMs && !document.hidden) lose();
  // The browser gives up for good after an answer that is none; a page that is shown tries on.
  if (stream?.readyState === EventSource.CLOSED && !document.hidden) listen();
}

function lose() {
  if (lostSince !== 0) return;
  lostSince = heard;
  lost.textContent = spoken.lost.replace("{}", timeText(lostSince));
  lost.hidden = false;
  document.body.classList.add("lost");
  arrange();
}

/** @param {number} [serverNow] in milliseconds since 1970 */
function hear(serverNow) {
  heard = Date.now();
  if (serverNow !== undefined) clockOffset = serverNow - heard;
  if (lostSince === 0) return;
  lostSince = 0;
  lost.hidden = true;
  document.body.classList.remove("lost");
  arrange();
}

function listen() {
  stream?.close();
  stream = new EventSource("/events");
  stream.addEventListener("everything", ({ data }) => {
    /** @type {{ now: number, tiles: Tile[] }} */
    const everything = JSON.parse(data);
    seen.clear();
    drawn.clear();
    everything.tiles.forEach(show);
    hear(everything.now);
    arrange();
    tick();
  });
  stream.addEventListener("tile", ({ data }) => {
    hear();
    show(JSON.parse(data));
    arrange();
    tick();
  });
  stream.addEventListener("beat", ({ data }) => hear(Number(data)));
  stream.addEventListener("error", lose);
}

for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    const name = button.dataset.group === "filter" ? "needs" : "urgency";
    if (button.id === name) chosen.add(name);
    else chosen.delete(name);
    history.replaceState(null, "", `#${[...chosen].join("+")}`);
    arrange();
  });
}
// Machines are looked at for somebody who sees it, not for a page that is behind another.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stream?.close();
  else {
    heard = Date.now();
    listen();
  }
});
addEventListener("resize", arrange);
setInterval(tick, 1000);
listen();

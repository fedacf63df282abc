import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { create as qrCode } from "qrcode";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { card } from "../../classroom/handout/card.ts";
import type { Handout } from "../../classroom/handout/facts.ts";
import { fingerprintOfText } from "../../classroom/handout/fingerprint.ts";
import { pageHtml } from "../../classroom/handout/page-html.ts";
import { startChromium } from "./chromium.ts";

const languages = ["en", "ko"] as const;
type Language = (typeof languages)[number];

/** Of the pictures in the docs: as wide as the card, which is as wide as A4, and sharp enough for its small letters. */
const picture = { width: 794, scale: 1.5 };
const pictureOf = { en: "card.png", ko: "card.ko.png" } as const;

/** A sheet of A4 without the margins of the card, in CSS pixels. */
const paper = { width: 190 * (96 / 25.4), height: 277 * (96 / 25.4) };

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/** What a student gets who does not exist. */
function handout(workers = 0): Handout {
  const machine = (name: string, role: "control-plane" | "worker", last: number) => ({ name, role, host: `192.0.2.${last}`, port: 22, clusterAddress: `10.0.0.${last}`, hostKey });
  return {
    student: { id: "s01", name: "김하늘" },
    klass: "kube-2026-12",
    login: "student",
    machines: [machine(workers === 0 ? "s01" : "s01-cp1", "control-plane", 11), ...Array.from({ length: workers }, (_, i) => machine(`s01-w${i + 1}`, "worker", 21 + i))],
    cluster: { server: "https://192.0.2.11:6443", ends: "2026-12-04T09:00:00.000Z" },
  };
}

let directory: string;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "card-"));
  browser = await startChromium();
});
afterAll(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true });
});
beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: picture.width, height: 1123 }, deviceScaleFactor: picture.scale });
});
afterEach(() => page.close());

/** Opens a card as a student does: a file, from a folder. @returns its text */
async function open(language: Language, of = handout()): Promise<string> {
  const path = join(directory, "card.html");
  const html = await pageHtml(card(of, language, "Asia/Seoul"));
  writeFileSync(path, html);
  await page.goto(pathToFileURL(path).href);
  return html;
}

/** Pages of the PDF that Chromium prints. */
const printedPages = async () => (await page.pdf({ preferCSSPageSize: true })).toString("latin1").match(/\/Type \/Page\b/g)?.length;

describe.each(languages)("a student's card in Chromium, in %s", (language) => {
  test.each([["one machine", 0], ["five machines", 4]])("is one page when it is printed, with %s", async (_, workers) => {
    await open(language, handout(workers));
    expect(await printedPages()).toBe(1);
    // Another system has other fonts, which may be larger: some of the sheet has to be left.
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: Math.floor(paper.width), height: 1 });
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(0.95 * paper.height);
  });

  test.each([["A4", picture.width], ["a phone", 390]])("fits on a screen as wide as %s, and no word or address in its table is torn apart", async (_, width) => {
    await page.setViewportSize({ width, height: 844 });
    await open(language, handout(4));
    const found = await page.evaluate(() => {
      const wordsIn = (text: Text) => [...text.data.matchAll(/\S+/g)].map(({ 0: word, index }) => ({ text, word, index }));
      const lines = ({ text, word, index }: { text: Text; word: string; index: number }) => {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        return new Set([...range.getClientRects()].map(({ top }) => top)).size;
      };
      // Fingerprints, in the last column, are too long for one line.
      const words = [...document.querySelectorAll("th, td:not(:last-child)")].flatMap((cell) => wordsIn(cell.firstChild as Text));
      return { scrolls: document.documentElement.scrollWidth > innerWidth, words: words.length, torn: words.filter((word) => lines(word) !== 1).map(({ word }) => word) };
    });
    expect(found).toMatchObject({ scrolls: false, torn: [] });
    expect(found.words).toBeGreaterThan(20);
  });

  test("asks for nothing but itself, and runs nothing", async () => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await open(language);
    expect(asked).toEqual([page.url()]);
    expect(await page.evaluate(() => document.querySelectorAll("script, link, img, iframe, object, form, a, [onclick], [onload]").length)).toBe(0);
  });

  test("has a code of the SSH address that a camera sees as it was meant", async () => {
    await open(language);
    const { modules } = qrCode("ssh://student@192.0.2.11:22", { errorCorrectionLevel: "M" });
    const seen = await page.locator("figure svg").screenshot();
    // The middle of every square, and of the white frame around them, which is one square wide.
    const dark = await page.evaluate(
      async ([source, across]) => {
        const image = new Image();
        image.src = source;
        await image.decode();
        const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d")!;
        canvas.drawImage(image, 0, 0);
        const at = (index: number) => Math.floor(((index + 0.5) * image.width) / across);
        return Array.from({ length: across }, (_, y) => Array.from({ length: across }, (_, x) => canvas.getImageData(at(x), at(y), 1, 1).data[0]! < 128));
      },
      [`data:image/png;base64,${seen.toString("base64")}`, modules.size + 2] as const,
    );
    const isDark = (x: number, y: number) => x >= 0 && y >= 0 && x < modules.size && y < modules.size && modules.get(y, x) !== 0;
    expect(dark).toEqual(dark.map((row, y) => row.map((_, x) => isDark(x - 1, y - 1))));
  });

  test("holds nothing that does not meet the eye, and nothing secret", async () => {
    const html = await open(language, handout(1));
    const [there, seen] = await page.evaluate(() => [document.body.textContent!, document.body.innerText].map((text) => text.replace(/\s+/g, "")));
    expect(seen).toBe(there);
    expect(html).not.toMatch(/<!--|PRIVATE KEY|CERTIFICATE|client-key|ssh-ed25519/);
    // Whatever a secret is called, it is long and no word. On the card only fingerprints are, and the drawing of the code.
    const long = html.replace(/<svg.*?<\/svg>/s, "").match(/[A-Za-z0-9+/=_]{32,}/g);
    expect(new Set(long)).toEqual(new Set([fingerprintOfText(hostKey).replace("SHA256:", "")]));
  });

  test.runIf(process.env.CARD_SCREENSHOTS)("is drawn for the docs, with CARD_SCREENSHOTS=docs/images", async () => {
    await open(language);
    await page.locator("body").screenshot({ path: join(process.env.CARD_SCREENSHOTS!, pictureOf[language]) });
  });

  test("the picture in the docs is one of this card", async () => {
    await open(language);
    const { height } = (await page.locator("body").boundingBox())!;
    const drawn = readFileSync(new URL(`../../docs/images/${pictureOf[language]}`, import.meta.url));
    expect(drawn.subarray(1, 4).toString()).toBe("PNG");
    expect(drawn.readUInt32BE(16)).toBe(picture.width * picture.scale);
    // Another system's letters may break a line more or less.
    expect(Math.abs(drawn.readUInt32BE(20) / picture.scale - height)).toBeLessThan(60);
    expect(drawn.length).toBeLessThan(300 * 1024);
  });
});

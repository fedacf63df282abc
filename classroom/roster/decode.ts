import iconv from "iconv-lite";
import type { RosterFault } from "../roster.ts";

/** What the first bytes of other kinds of files are: https://en.wikipedia.org/wiki/List_of_file_signatures */
const otherFiles: readonly [signature: string, what: string][] = [
  ["504b0304", "an Excel or OpenDocument workbook"],
  ["d0cf11e0", "an old Excel or Hancom workbook"],
  ["25504446", "a PDF"],
];

const saveAs = 'in the spreadsheet, save it as "CSV UTF-8" (Excel: File, Save As)';

/**
 * The text of a file that a spreadsheet wrote: UTF-8 with or without a byte order mark, UTF-16, or CP949, which Excel on Korean
 * Windows writes for "CSV".
 */
export function decode(bytes: Uint8Array): { readonly text: string; readonly faults: RosterFault[] } {
  const start = Buffer.from(bytes.subarray(0, 4)).toString("hex");
  const other = otherFiles.find(([signature]) => start.startsWith(signature));
  if (other) return { text: "", faults: [{ line: 1, reason: `is ${other[1]}, not a CSV file. Next: ${saveAs}` }] };

  const utf16 = utf16Of(bytes);
  if (utf16) return readable(new TextDecoder(utf16).decode(bytes), "UTF-16");
  try {
    return readable(new TextDecoder("utf-8", { fatal: true }).decode(bytes), "UTF-8");
  } catch {
    // Not TextDecoder's euc-kr: Node's ICU reads the letters that CP949 has beyond EUC-KR wrongly, and without an error.
    return readable(iconv.decode(Buffer.from(bytes), "cp949"), "CP949");
  }
}

/** UTF-16 by its mark, or by the zeros that every ASCII letter leaves on one side. */
function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const zeros = [0, 0];
  bytes.forEach((byte, index) => (zeros[index % 2]! += byte === 0 ? 1 : 0));
  const many = bytes.length / 8;
  if (zeros[1]! > many && zeros[0] === 0) return "utf-16le";
  if (zeros[0]! > many && zeros[1] === 0) return "utf-16be";
  return undefined;
}

/** @param encoding what the text was read as */
function readable(text: string, encoding: string): { text: string; faults: RosterFault[] } {
  const lines = text.split(/\r\n|\n|\r/);
  const lost =
    encoding === "CP949"
      ? "holds letters that are neither UTF-8 nor CP949"
      : "holds letters that were lost when the file was saved in another encoding";
  const faults = lines.flatMap((line, index) => {
    if (line.includes("\ufffd")) return [{ line: index + 1, reason: `${lost}: ${excerpt(line)}. Next: ${saveAs}` }];
    if (line.includes("\0")) return [{ line: index + 1, reason: `holds bytes that are no text. Next: ${saveAs}` }];
    return [];
  });
  return { text, faults };
}

/** The place of the first lost letter. */
function excerpt(line: string): string {
  const at = line.indexOf("\ufffd");
  return `"${line.slice(Math.max(0, at - 12), at + 12)}"`;
}

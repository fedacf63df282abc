import { parse, type InfoRecord } from "csv-parse/sync";
import type { RosterFault } from "../roster.ts";

/** One line of the spreadsheet. */
export interface Row {
  /** Line of the file on which it begins, from 1. */
  readonly line: number;
  /** Trimmed, each letter in one form: a Mac writes Hangul in parts. */
  readonly cells: readonly string[];
}

const delimiters = [",", ";", "\t"];

/** Excel's own first line, which names the delimiter. */
const separatorLine = /^sep=([,;\t])\s*$/i;

/** The rows of a CSV text that are not empty. The delimiter is the one that its first line has most of: comma, semicolon or tab. */
export function tableOf(written: string): { readonly rows: Row[]; readonly faults: RosterFault[] } {
  // csv-parse counts a line break of two characters inside a cell twice.
  const text = written.replace(/\r\n|\r/g, "\n");
  const rows: Row[] = [];
  let lastLine = 0;
  const take = (record: string[], { lines }: Pick<InfoRecord, "lines">) => {
    const cells = record.map(tidy);
    const isSeparator = lastLine === 0 && separatorLine.test(text.split("\n", 1)[0]!);
    if (!isSeparator && cells.some((cell) => cell !== "")) rows.push({ line: lastLine + 1, cells });
    lastLine = lines;
    return null;
  };
  try {
    parse(text, { delimiter: delimiterOf(text), relax_column_count: true, relax_quotes: true, on_record: take });
  } catch {
    // With loose quotes the only thing left that csv-parse refuses.
    return { rows, faults: [{ line: lastLine + 1, reason: 'a quotation mark (") is opened and never closed: all lines from here on would be one cell' }] };
  }
  return { rows, faults: [] };
}

function delimiterOf(text: string): string {
  const lines = text.split("\n");
  const named = separatorLine.exec(lines[0]!)?.[1];
  if (named) return named;
  const heading = lines.find((line) => line.trim() !== "") ?? "";
  const count = (delimiter: string) => heading.split(delimiter).length;
  return delimiters.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}

const tidy = (cell: string): string => cell.normalize("NFC").replace(/\p{Cf}/gu, "").replace(/\s+/g, " ").trim();

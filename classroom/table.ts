import Table from "cli-table3";

/** Rows under headings, without lines; wide letters take two columns. */
export function tableText(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const chars = Object.fromEntries(
    ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid"].map((part) => [part, ""]),
  );
  const table = new Table({ head: [...headings], chars: { ...chars, middle: "  " }, style: { head: [], border: [], "padding-left": 0, "padding-right": 0 } });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replace(/ +$/gm, "");
}

/** A part of a page. */
export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  /** Something to type, a line each; with the words before it. */
  | { readonly kind: "commands"; readonly label: string; readonly lines: readonly string[] }
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** A page to print, whatever it becomes: HTML or PDF. */
export interface Page {
  readonly language: "en" | "ko";
  readonly title: string;
  readonly subtitle: string;
  readonly blocks: readonly Block[];
  /** What a phone reads, and what is said of it. */
  readonly qr?: { readonly text: string; readonly caption: string };
  readonly footer: string;
}

/** The id is a node's name, a part of the stack's name, and the student's login name, which Linux allows 32 letters. */
const longest = 32;

const rule = `lower-case letters, digits and hyphens, a letter first, no hyphen last, at most ${longest}`;

/** Why an id cannot be a DNS label and a login name; undefined when it can. */
export function idFault(id: string): string | undefined {
  if (/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(id)) return undefined;
  if (/^\d+$/.test(id)) return `${id} is a number, which programs take for an address; a student's id needs a letter first`;
  return `${id} cannot be a student's id: it must be a DNS label (${rule})`;
}

/**
 * An id in place of one that cannot be used: what is left of it in letters of a DNS label, or s01, s02 … by its place in the list.
 *
 * @param place from 1
 * @param taken ids that other students have
 */
export function suggestedId(id: string, place: number, taken: ReadonlySet<string>): string {
  const label = id
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, longest)
    .replace(/-+$/, "");
  const numbered = (number: number) => `s${String(number).padStart(2, "0")}`;
  const wish = /^\d+$/.test(label) && label.length < 8 ? numbered(Number(label)) : label;
  if (idFault(wish) === undefined && !taken.has(wish)) return wish;
  for (let number = place; ; number++) if (!taken.has(numbered(number))) return numbered(number);
}

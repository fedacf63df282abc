import { settingsOf, type ClassSettings } from "../class-file.ts";
import type { Student } from "../roster.ts";

/** Makes a text fit to be seen by a whole room. */
export type PublicText = (text: string) => string;

/** What stands in place of what was taken out. */
const gap = "…";

/** A tile has room for no more, and a text may come from a machine on which a student is root. */
const longest = 300;

/** What nobody in the room needs and who listens could use, whatever the class is. */
const patterns = [
  // Web addresses may have a password in them.
  /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi,
  /-----BEGIN [^-]+-----[^-]*(-----END [^-]+-----)?/g,
  /\b(ssh-(ed25519|rsa|dss)|ecdsa-sha2-\S+) \S+/g,
  /\bSHA(256|1):\S+|\bMD5:\S+/g,
  // user@host, host:port, IPv4 with or without a port, IPv6.
  /\S+@\S+/g,
  /\b\d{1,3}(\.\d{1,3}){3}(:\d+|\/\d+)?\b/g,
  /(?<![\w:])[0-9a-f]{0,4}(:[0-9a-f]{0,4}){3,7}(?![\w:])/gi,
  // Paths of whoever runs this.
  /~[\w./-]*|\/(home|root|Users)\/\S*/g,
  // Bootstrap tokens, and everything long that is no word: keys, hashes, JSON web tokens.
  /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g,
  /[A-Za-z0-9+/_=.-]{40,}/g,
];

/**
 * For free text, as the last words of a command or of a machine: takes out addresses, users, keys and tokens, of this class and in
 * general.
 */
export function publicTextOf(klass: ClassSettings, students: readonly Student[]): PublicText {
  // The longest first, since one may begin with another.
  const words = [...secretsOf(klass, students)].toSorted((a, b) => b.length - a.length);
  const known = new RegExp(words.map((word) => `(?<![\\w-])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])(?::\\d+)?`).join("|"), "g");
  return (text) => {
    const line = text.split("\n")[0]!.slice(0, 10 * longest);
    const cleared = [known, ...patterns].reduce((left, pattern) => left.replace(pattern, gap), line);
    return cleared.length > longest ? `${cleared.slice(0, longest)}${gap}` : cleared;
  };
}

/** Hosts, users, paths and names of variables with which machines are reached. Every student has a host, so that there is one at least. */
function secretsOf(klass: ClassSettings, students: readonly Student[]): Set<string> {
  const words = students.flatMap((student) => {
    const { hostKeys: _, ...ssh } = settingsOf(klass, student).ssh ?? {};
    return [...textsIn(ssh), ...textsIn(student.machines), ...textsIn(student.vip)];
  });
  // Of one or two letters, and `root`, everybody knows what they are; taken out they would tear every other sentence.
  return new Set([...words, ...textsIn(klass.instructorKeyPath)].filter((word) => word.length > 2 && word !== "root"));
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

import ipaddr from "ipaddr.js";
import { host as hostField } from "../../kubeadm/fields.ts";

/** Where a machine of a student is reached. */
export interface MachineAddress {
  /** IP address or DNS name, in lower case. */
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
}

/** The parts of a cell that names several things: separated by spaces, line breaks, commas or semicolons. */
export const wordsOf = (cell: string): string[] => cell.split(/[\s,;]+/).filter((word) => word !== "");

/**
 * Reads `[user@]host[:port]`. An IPv6 address with a port stands in brackets.
 *
 * @returns the address, or in a sentence why the word is none
 */
export function machineAddress(word: string): MachineAddress | string {
  const at = word.lastIndexOf("@");
  const place = word.slice(at + 1).toLowerCase();
  const bare = place.includes(":") && ipaddr.IPv6.isValid(place);
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+))(?::(.*))?$/.exec(bare ? `[${place}]` : place) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || at === 0 || !hostField.safeParse(host).success) return `${word} is no machine: it must be an IP address or a DNS name, or user@address:port`;
  const port = digits === undefined ? undefined : portOf(digits);
  if (typeof port === "string") return `${word}: ${port}`;
  return { host, ...(port !== undefined && { port }), ...(at > 0 && { user: word.slice(0, at) }) };
}

/** A port, or in a sentence why the text is none. */
export function portOf(text: string): number | string {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port <= 65535 ? port : `"${text}" is no port: it must be 1 to 65535`;
}

import { english } from "./words/en.ts";
import { korean } from "./words/ko.ts";

/** Everything that students read, in one language. */
export interface Words {
  readonly locale: string;
  readonly controlPlane: string;
  readonly worker: string;
  readonly node: string;
  readonly role: string;
  readonly sshAddress: string;
  readonly clusterAddress: string;
  readonly fingerprint: string;

  readonly logIn: string;
  /** @param zip name of the archive */
  unpack(zip: string): string;
  readonly unixLogin: string;
  readonly windowsLogin: string;
  readonly longLogin: string;
  /** @param names further names that `ssh -F config` takes */
  otherNodes(names: string): string;
  loginIs(login: string): string;
  readonly nodes: string;
  readonly fingerprintHelp: string;

  readonly cluster: string;
  readonly tryFirst: string;
  readonly onTheMachine: string;
  /** @param server of the API */
  fromHere(server: string): string;
  admin(file: string): string;
  limited(file: string, namespace: string): string;
  readonly tryLimited: string;
  readonly noCluster: string;

  readonly ends: string;
  certificatesEnd(time: string): string;
  readonly machinesEnd: string;
  qr(address: string): string;
  readonly noSecret: string;
  readonly again: string;

  readonly readme: (files: { readonly title: string; readonly hasCluster: boolean }) => string;
  readonly sheet: SheetWords;
}

/** What is on the sheet of whoever runs the class. */
export interface SheetWords {
  readonly title: string;
  readonly student: string;
  readonly machines: string;
  readonly folder: string;
  readonly certificates: string;
  readonly none: string;
  readonly notYet: string;
  readonly yourWay: string;
  yourKey(fingerprint: string): string;
  readonly noKey: string;
  readonly where: string;
  /** @param directory of the folders */
  folders(directory: string): string;
  readonly hand: string;
  readonly evening: string;
  readonly noSecret: string;
}

const languages = { en: english, ko: korean };

export const wordsOf = (language: keyof typeof languages): Words => languages[language];

/** A moment as people write it, with its time zone. */
export function timeText(time: Date, { locale }: Words, timeZone: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone, weekday: "short", year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false, timeZoneName: "short" }).format(time);
}

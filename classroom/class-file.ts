import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isMap, LineCounter, parseDocument, type Document } from "yaml";
import { z } from "zod";
import { labelName, port, text, userName } from "../kubeadm/fields.ts";
import { parseSettings, settingNames, type Preparation, type SettingsInput } from "../kubeadm/settings.ts";
import { closestTo } from "../kubeadm/suggestion.ts";
import { sizeFault } from "../quorum/sizes.ts";
import { keyFaults } from "./keys.ts";
import type { RosterRules, Student } from "./roster.ts";
import { machinesOf, shapeOf, type Shape } from "./roster/shape.ts";

/** The settings of docs/configuration.md that all students share. */
export type SharedSettings = Omit<SettingsInput, "name" | "controlPlanes" | "workers">;

/** What all students of a class share. */
export interface ClassSettings {
  /** DNS label: the students' stacks are called `<name>-<student>`. */
  readonly name: string;
  /** Path of the roster, absolute. */
  readonly roster: string;
  /** Machines of each student. */
  readonly shape: Shape;
  /** Of everything that is handed to students. */
  readonly language: "en" | "ko";
  /** When handed-out certificates end, as ISO 8601; a day alone means its end. Undefined: 14 days after they are handed out. */
  readonly ends?: string;
  /** Students at the same time. Undefined: as many as this computer has memory for. */
  readonly parallelism?: number;
  /** User as whom students log in to their machines. */
  readonly login: string;
  /** Path of the public key with which the instructor gets into every machine. Undefined: of the key that `cluster.ssh` names. */
  readonly instructorKeyPath?: string;
  readonly cluster: SharedSettings;
  /** Directory of the class file: what the class writes goes beside it. */
  readonly directory: string;
}

/** Length of a DNS label, less a student's id and the hyphen between. */
const longestName = 63 - 32 - 1;

const shape = z.union([
  z.string().transform((written, context) => shapeOf(written) ?? fail(context, `must be 1, or control planes + workers, as "1+2" or "3+0"`)),
  z.literal(1).transform((): Shape => ({ controlPlanes: 1, workers: 0 })),
  z.strictObject({
    controlPlanes: z.union([z.literal(1), z.literal(3)], "must be 1 or 3"),
    workers: z.int("must be a whole number").min(0, "must be 0 to 99").max(99, "must be 0 to 99").default(0),
  }),
], "must be 1, or control planes + workers, as 1+2 or 3+0");

function fail(context: z.core.$RefinementCtx, message: string): never {
  context.issues.push({ code: "custom", message, input: context.value });
  return z.NEVER;
}

const isDate = (value: string): boolean => /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.test(value) && !Number.isNaN(Date.parse(value));

const keys = {
  name: labelName.max(longestName, `must be at most ${longestName} letters, so that names of clusters have room for the student`),
  roster: text.default("roster.csv"),
  shape: shape.default({ controlPlanes: 1, workers: 0 }),
  language: z.enum(["en", "ko"], "must be en or ko").default("en"),
  ends: z.string().refine(isDate, "must be a day or a time, as 2026-12-04 or 2026-12-04T18:00+09:00").optional(),
  parallelism: z.int("must be a whole number").min(1, "must be at least 1").max(200, "must be at most 200").optional(),
  login: userName.default("student"),
  instructorKeyPath: text.optional(),
  cluster: z.record(z.string(), z.unknown()).default({}),
};

const classSchema = z.strictObject(keys);

/** Something in a class file that must be put right before anything starts. */
export interface ClassFault {
  /** From 1; absent where there is none, as for a setting that is missing. */
  readonly line?: number;
  readonly reason: string;
}

/** A class's roster, as far as the class file tells. */
export interface RosterFile {
  /** Absolute. */
  readonly path: string;
  readonly rules: RosterRules;
  /** What all students share; absent where a fault leaves that open. */
  readonly shared?: Shared;
}

/** What goes into every student's settings. */
export type Shared = Pick<ClassSettings, "shape" | "cluster">;

/** What a class file says, as far as no fault leaves that open. */
export interface ClassFile {
  /** Absent where a fault leaves open how machines are reached. Where one is in another setting, this has the setting's default. */
  readonly klass?: ClassSettings;
  /** Absent where a fault leaves open where the roster is. */
  readonly roster?: RosterFile;
  readonly faults: readonly ClassFault[];
}

/** Reads a class file (class.yaml), and whether there are the keys that it names. */
export function readClass(path: string): ClassFile {
  let written: string;
  try {
    written = readFileSync(path, "utf8");
  } catch (error) {
    return { faults: [{ reason: `cannot be read (${(error as NodeJS.ErrnoException).code}). Next: copy examples/class.yaml, or name the class file with --class` }] };
  }
  return parseClass(written, path);
}

/** The same from the text of the file. @param path what relative paths in it start from */
export function parseClass(written: string, path: string): ClassFile {
  const lines = new LineCounter();
  const document = parseDocument(written.replace(/^\ufeff/, ""), { lineCounter: lines, prettyErrors: false });
  const directory = dirname(resolve(path));
  if (document.errors.length > 0) {
    // Of what else is read nobody knows where it belongs. A roster is looked for all the same: its faults can be told.
    const { data: roster } = keys.roster.safeParse(document.get("roster"));
    return {
      roster: roster === undefined ? undefined : { path: resolve(directory, roster), rules: {} },
      faults: document.errors.map(({ pos, message }) => ({ line: lines.linePos(pos[0]).line, reason: message })),
    };
  }

  const raw: unknown = document.toJS() ?? {};
  const { error } = classSchema.safeParse(raw, { error: plainWords });
  const own = (error?.issues ?? []).flatMap(faultsOf);
  const sound = soundSettings(raw, own);
  const inText = [...own, ...clusterFaults(raw, sound)];
  const ofKeys = keyFaults(raw, directory);
  const open = leftOpen(inText);
  const { name } = sound;
  const shape = open.has("shape") ? undefined : sound.shape;
  const shared = shape === undefined || open.has("cluster") ? undefined : { shape, cluster: sound.cluster as SharedSettings };
  const roster = resolve(directory, sound.roster);
  const isReachable = !open.has("name") && ofKeys.every(({ path: [key] }) => key !== "cluster");
  return {
    klass: shared && name !== undefined && isReachable ? { ...sound, ...shared, name, roster, directory } : undefined,
    roster: open.has("roster") ? undefined : { path: roster, rules: { shape, port: sharedPort(raw) }, shared },
    faults: [...inText, ...ofKeys].map(({ path: at, reason }) => ({ line: lineOf(document, lines, at), reason: `${at.join(".")}: ${reason}` })),
  };
}

/** A fault with the path of the setting as keys. */
export interface SettingFault {
  readonly path: readonly PropertyKey[];
  readonly reason: string;
}

/**
 * The settings at the top that faults leave open: their own, of one that is not known the one that was probably meant, and `cluster` of
 * one that belongs into it.
 */
const leftOpen = (faults: readonly SettingFault[]): ReadonlySet<PropertyKey | undefined> =>
  new Set(faults.flatMap(({ path: [key] }) => [key, closestTo(String(key), Object.keys(keys)), ...(!(String(key) in keys) && settingNames.includes(String(key)) ? ["cluster"] : [])]));

/** The settings without a fault of their own; defaults stand for the others. */
function soundSettings(raw: unknown, faults: readonly SettingFault[]) {
  const open = leftOpen(faults);
  return z
    .object(keys)
    .partial({ name: true })
    .parse(Object.fromEntries(Object.entries(raw as object).filter(([key]) => !open.has(key))));
}

/** SSH port of all machines, whatever is wrong with the settings around it. */
const sharedPort = (raw: unknown): number | undefined => port.safeParse((raw as { cluster?: { ssh?: { port?: unknown } } }).cluster?.ssh?.port).data;

function faultsOf(issue: z.core.$ZodIssue): SettingFault[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: [...issue.path, key], reason: unknownKey(key) }));
  // Of the three ways to write a shape, the one that was chosen says what is wrong with it.
  if (issue.code === "invalid_union") {
    const tried = issue.errors.flat().filter(({ code }) => code !== "invalid_type" && code !== "invalid_value");
    if (tried.length > 0) return tried.flatMap((inner) => faultsOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue));
  }
  return [{ path: issue.path, reason: issue.message }];
}

function unknownKey(key: string): string {
  const known = Object.keys(keys);
  const meant = closestTo(key, known);
  return `is no setting of a class${meant ? `; did you mean ${meant}?` : "."} Known here: ${known.join(", ")}`;
}

function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === "invalid_type" && issue.input === undefined ? "is required" : undefined;
}

/** What is wrong with the settings that all share, whoever the student is. */
function clusterFaults(raw: unknown, { shape, login }: Pick<ClassSettings, "shape" | "login">): SettingFault[] {
  const cluster = (raw as { cluster?: unknown }).cluster ?? {};
  if (typeof cluster !== "object" || Array.isArray(cluster)) return [];
  const perStudent = ["controlPlanes", "workers", "name"].filter((key) => key in cluster);
  // Any student will do; the addresses are from a network for documentation (RFC 5737), the last of which a roster may give as vip.
  const machines = Array.from({ length: machinesOf(shape) }, (_, index) => ({ host: `192.0.2.${index + 1}` }));
  const sample: Student = { id: "s01", line: 0, machines, size: shape, ...(shape.controlPlanes > 1 && { vip: "192.0.2.254" }) };
  const settings = settingsWith(Object.fromEntries(Object.entries(cluster).filter(([key]) => !perStudent.includes(key))) as SharedSettings, shape, sample);
  return [
    ...perStudent.map((key) => ({ path: ["cluster", key], reason: "is each student's own: machines come from the roster, and the name from class and student" })),
    ...("vip" in Object((cluster as { endpoint?: unknown }).endpoint ?? {})
      ? [{ path: ["cluster", "endpoint", "vip"], reason: "is each student's own: two clusters would take it from each other; give it in the roster's column vip" }]
      : []),
    ...(Array.isArray(settings.logins) ? settings.logins : []).flatMap((other, index) =>
      other?.name === login ? [{ path: ["cluster", "logins", index, "name"], reason: `${login} is the students' own login; choose another name, or set login` }] : [],
    ),
    ...parseSettings(settings, { controlPlaneSize: sizeFault })
      .faults.filter(({ path }) => !/^(controlPlanes|workers)\b/.test(path))
      .map(({ path, reason }) => ({ path: ["cluster", ...path.split(".")], reason })),
  ];
}

/** The line of a setting or of the nearest thing around it; undefined when it has none. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(path[length - 1])) : undefined;
    const range = (pair?.key as { range?: [number, number, number] } | undefined)?.range;
    if (range) return lines.linePos(range[0]).line;
  }
  return undefined;
}

/** How far the machines of all students are prepared. */
export const preparationOf = ({ cluster }: Pick<ClassSettings, "cluster">): Preparation => cluster.prepareTo ?? "cluster";

/** The settings of a student's stack: what all share, with the machines of this one. */
export const settingsOf = ({ cluster, shape }: Shared, student: Student): SettingsInput => settingsWith(cluster, student.size ?? shape, student);

function settingsWith(shared: SharedSettings, { controlPlanes, workers }: Shape, student: Student): SettingsInput {
  const { id, machines, vip } = student;
  const named = machines.map(({ host, port, user, clusterAddress, hostKey }, index) => ({
    name: nodeName(id, index, controlPlanes, workers),
    host,
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(clusterAddress !== undefined && { clusterAddress }),
    ...(hostKey !== undefined && { hostKey }),
  }));
  return {
    ...shared,
    ...(vip !== undefined && { endpoint: { ...shared.endpoint, vip } }),
    controlPlanes: named.slice(0, controlPlanes),
    ...(workers > 0 && { workers: named.slice(controlPlanes) }),
  };
}

/** `s07` where a student has one machine, else `s07-cp1`, `s07-w1`. */
function nodeName(id: string, index: number, controlPlanes: number, workers: number): string {
  if (controlPlanes + workers === 1) return id;
  return index < controlPlanes ? `${id}-cp${index + 1}` : `${id}-w${index - controlPlanes + 1}`;
}

/** Why these settings cannot be a student's, a sentence each, where only the roster can tell. */
export function settingsFaults(shared: Shared, student: Student): string[] {
  const { faults } = parseSettings(settingsOf(shared, student), { controlPlaneSize: sizeFault });
  const hosts = student.machines.map(({ host }) => host);
  return faults.map(({ path, reason }) => {
    const [, role, index] = /^(controlPlanes|workers)\[(\d+)\]/.exec(path) ?? [];
    const host = index === undefined ? undefined : hosts[Number(index) + (role === "workers" ? (student.size ?? shared.shape).controlPlanes : 0)];
    const setting = path.split(".").at(-1)!.replace("clusterAddress", "the column internal");
    return host === undefined ? `${path}: ${reason}` : `${host}: ${setting} ${reason}`;
  });
}

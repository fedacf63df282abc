import { z } from "zod";

const machineSchema = z.object({
  /** Name of the node. */
  name: z.string(),
  role: z.enum(["control-plane", "worker"]),
  host: z.string(),
  port: z.number(),
  clusterAddress: z.string(),
  /** `ssh-ed25519 AAAA…`. */
  hostKey: z.string(),
});

export const handoutSchema = z.object({
  student: z.object({ id: z.string(), name: z.string().optional() }),
  klass: z.string(),
  /** The user as whom the student logs in. */
  login: z.string(),
  /** Control planes first. */
  machines: z.array(machineSchema).min(1),
  /** Undefined where there is no cluster: the machines are prepared only. */
  cluster: z.object({ server: z.string(), ends: z.iso.datetime() }).optional(),
});

/** What was handed to a student; nothing secret. */
export type Handout = z.output<typeof handoutSchema>;

/** A machine on a card. */
export type HandoutMachine = z.output<typeof machineSchema>;

/** Names of the files that a student gets. */
export const fileNames = {
  key: "key",
  config: "config",
  knownHosts: "known_hosts",
  admin: "admin.kubeconfig",
  limited: "limited.kubeconfig",
  html: "card.html",
  pdf: "card.pdf",
  readme: "README.md",
} as const;

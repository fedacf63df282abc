/**
 * The lab's machines: the one place that names them. Change memory, users or addresses here; a machine's
 * disk takes its identity from this file when it is made (`npm run lab -- reset NAME`).
 */

/** A virtual machine of the lab. */
export interface LabMachine {
  /** Host name, RFC 1123 label; also the name on the lab's command line. */
  readonly name: string;
  /** IPv4 address inside the lab's network. */
  readonly address: string;
  /** Memory that the machine sees, in MiB; the host gives what is touched. */
  readonly memory: number;
}

/** An account on every machine. */
export interface LabUser {
  readonly name: string;
  /** Password that sudo asks for; none: sudo asks for nothing. */
  readonly password?: string;
}

/** The lab's closed network: one bridge, whose address is mirror, registry and nameserver of the machines. */
export const network = { bridge: "lab0", address: "10.77.0.1", prefixLength: 24 } as const;

/** An address of that network which no machine has: clusters of several control planes let it float between them. */
export const floatingAddress = "10.77.0.100";

/** Both profiles of sudo. All users log in with the lab's one SSH key. */
export const users: readonly LabUser[] = [{ name: "ops" }, { name: "admin", password: "lab-only" }];

const controlPlaneMemory = 3072;
const workerMemory = 2048;

/** All machines that the lab can boot. */
export const machines: readonly LabMachine[] = [
  ...[1, 2, 3, 4, 5].map((i) => ({ name: `cp${i}`, address: `10.77.0.${10 + i}`, memory: controlPlaneMemory })),
  ...[1, 2, 3, 4].map((i) => ({ name: `w${i}`, address: `10.77.0.${20 + i}`, memory: workerMemory })),
];

/**
 * The machine of that name.
 *
 * @throws Error that lists the names there are
 */
export function machineNamed(name: string): LabMachine {
  const machine = machines.find((candidate) => candidate.name === name);
  if (!machine) throw new Error(`the lab has no machine "${name}"; it has ${machines.map((m) => m.name).join(", ")}`);
  return machine;
}

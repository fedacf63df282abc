import type { SshAuth, SshTarget } from "./target.ts";

/** One SSH server to log in at: a machine, or the bastion in front of it. */
export interface Endpoint {
  /** Name of the machine in errors; `bastion` for that. */
  readonly machine: string;
  /** The server in a sentence: `ops@192.0.2.11:22`. */
  readonly label: string;
  /** Setting that names its host key: `hostKey of cp1`, `ssh.bastion.hostKey`. */
  readonly hostKeySetting: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly auth: SshAuth;
  readonly hostKey?: string | undefined;
  readonly hostKeys: "known_hosts" | "pin";
  readonly knownHostsPath: string;
}

/** The machine itself. */
export function machineEndpoint(target: SshTarget): Endpoint {
  const { name, host, port, user, auth, hostKey, hostKeys, knownHostsPath } = target;
  const hostKeySetting = `hostKey of ${name}`;
  return { machine: name, label: `${user}@${host}:${port}`, hostKeySetting, host, port, user, auth, hostKey, hostKeys, knownHostsPath };
}

/** The bastion in front of the machine, if it has one. */
export function bastionEndpoint({ bastion, hostKeys, knownHostsPath }: SshTarget): Endpoint | undefined {
  if (!bastion) return undefined;
  const label = `${bastion.user}@${bastion.host}:${bastion.port}`;
  return { machine: "bastion", label, hostKeySetting: "ssh.bastion.hostKey", ...bastion, hostKeys, knownHostsPath };
}

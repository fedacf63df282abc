import { nameOf } from "../../machine/known-hosts.ts";
import { fileNames, type Handout } from "./facts.ts";

/** For `ssh -F config NAME`, in the folder that has the key: see ssh_config(5). */
export function sshConfig({ login, machines }: Handout): string {
  const hosts = machines.map(({ name, host, port }) => `Host ${name}\n  HostName ${host}\n  Port ${port}\n`);
  return `${hosts.join("\n")}
Host *
  User ${login}
  IdentityFile ${fileNames.key}
  IdentitiesOnly yes
  UserKnownHostsFile ${fileNames.knownHosts}
  StrictHostKeyChecking yes
`;
}

/** The host keys that the machines have shown, so that no other machine passes for one of them. */
export const knownHosts = ({ machines }: Handout): string => machines.map(({ host, port, hostKey }) => `${nameOf(host, port)} ${hostKey}\n`).join("");

/** `ssh://student@203.0.113.11:22`, as https://www.iana.org/assignments/uri-schemes/prov/ssh has it. */
export function sshAddress(login: string, { host, port }: Handout["machines"][number]): string {
  return `ssh://${login}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}

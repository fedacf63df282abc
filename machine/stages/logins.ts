import type { ClusterSettings, LoginSettings, MachineSettings } from "../../kubeadm/settings.ts";
import type { Stage } from "./stage.ts";

/** Who can log in to one machine, besides those for whom its owner has set that up. */
export interface LoginsParameters {
  readonly logins: readonly LoginSettings[];
}

/**
 * Users with their public keys, in files that only root changes. It comes early, so that it is undone late: what gives the machine back
 * may need it to get in.
 */
export const logins: Stage<LoginsParameters> = {
  name: "logins",
  script: "logins.sh",
  // Packages over a slow line.
  deadlineSeconds: 1800,
  appliesTo: ({ logins, ssh }) => logins.length > 0 || ssh.authorizedKeys.length > 0,
  parameters: (cluster, machine) => ({ logins: loginsOf(cluster, machine) }),
  environment: ({ logins }) => ({
    LOGINS: logins.map(({ name, sudo }) => `${name} ${sudo ? "sudo" : "plain"}\n`).join(""),
    AUTHORIZED_KEYS: logins.flatMap(({ name, authorizedKeys }) => authorizedKeys.map((key) => `${name} ${key}\n`)).join(""),
  }),
};

/** The operator's keys are for the user with whom this machine is reached, who may be one of the logins too. */
function loginsOf({ logins, ssh }: ClusterSettings, { user = ssh.user }: MachineSettings): LoginSettings[] {
  const { authorizedKeys } = ssh;
  if (authorizedKeys.length === 0) return [...logins];
  const own = logins.find(({ name }) => name === user);
  const others = logins.filter((login) => login !== own);
  return [...others, { name: user, sudo: own?.sudo ?? false, authorizedKeys: [...new Set([...(own?.authorizedKeys ?? []), ...authorizedKeys])] }];
}

import type { MachineSettings, SshSettings } from "../kubeadm/settings.ts";
import type { SshAuth, SshTarget } from "../machine/target.ts";

/** SSH host keys that were seen: of machines by their names, of a bastion under a name that no machine can have. */
export type HostKeys = Readonly<Record<string, string>>;

/** Where a bastion's key stands among the host keys. */
export const bastionKeyName = (bastion: { host: string; port: number }): string => `bastion ${bastion.host}:${bastion.port}`;

/**
 * How to reach a machine, from the settings for all machines and its own.
 *
 * @param hostKeys the keys that machine and bastion must show; one that is missing is at its first contact
 */
export function targetOf(ssh: SshSettings, machine: MachineSettings, hostKeys: HostKeys): SshTarget {
  const { bastion } = ssh;
  return {
    name: machine.name,
    host: machine.host,
    port: machine.port ?? ssh.port,
    user: machine.user ?? ssh.user,
    hostKey: hostKeys[machine.name],
    hostKeys: ssh.hostKeys,
    knownHostsPath: ssh.knownHostsPath,
    auth: authOf(ssh),
    bastion: bastion && {
      host: bastion.host,
      port: bastion.port,
      user: bastion.user,
      hostKey: bastion.hostKey ?? hostKeys[bastionKeyName(bastion)],
      auth: authOf(bastion),
    },
    sudoPasswordEnv: ssh.sudoPasswordEnv,
    connectTimeoutSeconds: ssh.connectTimeoutSeconds,
  };
}

function authOf({ privateKeyPath, privateKeyEnv, passphraseEnv, agent }: SshAuth): SshAuth {
  return { privateKeyPath, privateKeyEnv, passphraseEnv, agent };
}

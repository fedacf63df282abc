import type { MachineSettings, SshSettings } from "../kubeadm/settings.ts";
import type { SshAuth, SshTarget } from "../machine/target.ts";

/**
 * How to reach a machine, from the settings for all machines and its own.
 *
 * @param hostKey the key that the machine must show; undefined at the first contact
 */
export function targetOf(ssh: SshSettings, machine: MachineSettings, hostKey: string | undefined): SshTarget {
  const { bastion } = ssh;
  return {
    name: machine.name,
    host: machine.host,
    port: machine.port ?? ssh.port,
    user: machine.user ?? ssh.user,
    hostKey,
    hostKeys: ssh.hostKeys,
    knownHostsPath: ssh.knownHostsPath,
    auth: authOf(ssh),
    bastion: bastion && { host: bastion.host, port: bastion.port, user: bastion.user, hostKey: bastion.hostKey, auth: authOf(bastion) },
    sudoPasswordEnv: ssh.sudoPasswordEnv,
    connectTimeoutSeconds: ssh.connectTimeoutSeconds,
  };
}

function authOf({ privateKeyPath, privateKeyEnv, passphraseEnv, agent }: SshAuth): SshAuth {
  return { privateKeyPath, privateKeyEnv, passphraseEnv, agent };
}

import { floatingAddress } from "../../lab/machines.ts";
import { sudo } from "./machine.ts";

/** etcd's members as a machine's own member lists them: `name voter` or `name learner`. */
export async function members(machine: string): Promise<string[]> {
  const { stdout } = await sudo(
    machine,
    `crictl exec $(crictl ps -q --state Running --name '^etcd$') etcdctl --cacert=/etc/kubernetes/pki/etcd/ca.crt \\
       --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt --key=/etc/kubernetes/pki/etcd/healthcheck-client.key member list`,
  );
  // id, status, name, peers, clients, whether it is a learner
  return stdout
    .split("\n")
    .map((line) => line.split(", "))
    .map(([, , name, , , learner]) => `${name} ${learner === "true" ? "learner" : "voter"}`)
    .sort();
}

/** What `members` gives of voters alone. */
export const voters = (...names: string[]): string[] => names.map((name) => `${name} voter`);

/** Whether apiserver, controller manager and scheduler of every one of the machines are ready: those that lose a leader start anew, also beside the machine that was lost. */
export async function controlPlanesReady(machines: readonly string[]): Promise<boolean> {
  const ask = "kubectl --kubeconfig /etc/kubernetes/admin.conf --insecure-skip-tls-verify --request-timeout=5s";
  const command = `${ask} --server https://127.0.0.1:6443 get --raw /readyz && ${ask} --server https://127.0.0.1:10257 get --raw /healthz && ${ask} --server https://127.0.0.1:10259 get --raw /healthz`;
  const answers = await Promise.all(machines.map((machine) => sudo(machine, command)));
  return answers.every(({ exitCode }) => exitCode === 0);
}

/** Who has the floating address; a machine that hangs cannot be asked. */
export async function holders(machines: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(machines.map((machine) => sudo(machine, `ip -oneline -4 address show to ${floatingAddress}/32`)));
  return machines.filter((_, index) => answers[index]!.stdout !== "");
}

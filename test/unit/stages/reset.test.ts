import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readScript } from "../../../machine/render.ts";
import { Sandbox } from "./shell.ts";

let sandbox: Sandbox;
const at = (path: string) => join(sandbox.directory, path);
const keys = ["ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key", "sa.pub"];

beforeEach(() => {
  sandbox = new Sandbox();
  mkdirSync(at("state"));
  mkdirSync(at("pki/etcd"), { recursive: true });
  for (const file of [...keys, "apiserver.crt", "apiserver.key", "etcd/ca.key"]) writeFileSync(at(`pki/${file}`), `${file} of the cluster\n`, { mode: file.endsWith("key") ? 0o600 : 0o644 });
  writeFileSync(at("state/owner"), "school/monday/lab\n");
  writeFileSync(at("state/control-plane-ended"), "");
});
afterEach(() => sandbox[Symbol.dispose]());

/** A machine whose disk is the sandbox, and whose node's reset only takes the certificates away, or does what it is told. */
const machine = (file: string, nodeReset = 'rm -rf "$pki"') => `
  owner_file=$state_dir/owner control_plane_begun=$state_dir/control-plane-begun control_plane_ended=$state_dir/control-plane-ended
  worker_begun=$state_dir/worker-begun kept_keys=$state_dir/kept-keys reset_begun=$state_dir/reset-begun
  OWNER=school/monday/lab
  ${readScript(file)}
  pki=$d/pki
  node_reset() { ${nodeReset}; rm -f "$control_plane_begun" "$control_plane_ended" "$worker_begun"; }
`;
const renewal = 'RENEW=yes CA_CERT="ca.crt of the cluster"\n';
const marks = () => readdirSync(at("state")).filter((name) => name !== "owner").toSorted();

describe("a reset of a control plane that comes back", () => {
  it("keeps the keys of the CA where only root reads them, and no other certificate", () => {
    expect(sandbox.run(`${machine("reset.sh")}${renewal}stage_remove`).status).toBe(0);
    expect(readdirSync(at("state/kept-keys")).toSorted()).toEqual(keys);
    expect(statSync(at("state/kept-keys")).mode & 0o777).toBe(0o700);
    expect(statSync(at("state/kept-keys/ca.key")).mode & 0o777).toBe(0o600);
    expect(existsSync(at("pki"))).toBe(false);
    expect(marks()).toEqual(["kept-keys", "reset-begun"]);
  });

  it("that ends in the middle leaves a control plane that is to be begun anew, with the keys; the next one goes on", () => {
    expect(sandbox.run(`${machine("reset.sh", 'rm -rf "$pki"; exit 9')}${renewal}stage_remove`).status).toBe(9);
    expect(marks()).toEqual(["control-plane-begun", "kept-keys", "reset-begun"]);
    expect(sandbox.run(`${machine("reset.sh")}${renewal}stage_remove`).status).toBe(0);
    expect(readFileSync(at("state/kept-keys/ca.key"), "utf8")).toBe("ca.key of the cluster\n");
  });

  it("never takes half of the keys for all: what a power cut left is copied anew", () => {
    mkdirSync(at("state/kept-keys.new"));
    writeFileSync(at("state/kept-keys.new/ca.crt"), "half");
    expect(sandbox.run(`${machine("reset.sh")}${renewal}stage_remove`).status).toBe(0);
    expect(readdirSync(at("state/kept-keys")).toSorted()).toEqual(keys);
    expect(existsSync(at("state/kept-keys.new"))).toBe(false);
  });

  it.each([
    ["has lost the key of its CA", 'rm "$pki/ca.key"'],
    ["has another CA by now", 'echo other > "$pki/ca.crt"'],
  ])("is refused before anything goes, when the machine %s", (_, before) => {
    const { status, stderr } = sandbox.run(`${machine("reset.sh")}${renewal}${before}\nstage_remove`);
    expect(status).toBe(1);
    expect(stderr).toContain("!!! the keys of the cluster's CA are not on this machine");
    expect(existsSync(at("pki/apiserver.key"))).toBe(true);
    expect(existsSync(at("state/control-plane-ended"))).toBe(true);
  });

  it("keeps no certificate without its key: kubeadm would take it for that of an external CA", () => {
    sandbox.run(`${machine("reset.sh")}${renewal}rm "$pki/front-proxy-ca.key"\nstage_remove`);
    expect(readdirSync(at("state/kept-keys")).toSorted()).toEqual(["ca.crt", "ca.key", "sa.key", "sa.pub"]);
  });

  it("is refused on a machine that somebody else has by now", () => {
    writeFileSync(at("state/owner"), "school/tuesday/lab\n");
    const { status, stderr } = sandbox.run(`${machine("reset.sh")}${renewal}stage_remove`);
    expect(status).toBe(1);
    expect(stderr).toContain("!!! the machine belongs to school/tuesday/lab by now");
    expect(existsSync(at("pki"))).toBe(true);
  });
});

describe("a reset for good", () => {
  it("keeps nothing, also not what an earlier one kept", () => {
    sandbox.run(`${machine("reset.sh")}${renewal}stage_remove`);
    expect(sandbox.run(`${machine("reset.sh")}RENEW= CA_CERT=\nstage_remove`).status).toBe(0);
    expect(marks()).toEqual([]);
  });
});

describe("the kubeadm init after it", () => {
  const begin = (kubeadm: string) =>
    sandbox.run(`${machine("control-plane.sh", 'rm -rf "$pki"')}
      source <(declare -f begin put_keys_back | sed "s,/etc/kubernetes/pki,$d/pki,; s,/run/pulumi-kubeadm/job,$d,")
      NODE_NAME=cp1 KUBEADM_COMMAND=init KUBEADM_CONFIG=documents
      kubeadm() { ${kubeadm}; }
      begin`);

  it("takes the keys, and they are not kept any longer", () => {
    sandbox.run(`${machine("reset.sh")}${renewal}stage_remove`);
    const { status, stdout } = begin('ls "$d/pki"; cat "$d/pki/ca.key"');
    expect(status, stdout).toBe(0);
    expect(marks()).toEqual(["control-plane-ended", "reset-begun"]);
    expect(statSync(at("pki")).mode & 0o777).toBe(0o755);
    expect(statSync(at("pki/ca.key")).mode & 0o777).toBe(0o600);
    expect(readdirSync(at("pki")).toSorted()).toEqual(keys);
  });

  it("that fails leaves them for the next one", () => {
    sandbox.run(`${machine("reset.sh")}${renewal}stage_remove`);
    expect(begin("return 1").status).toBe(1);
    expect(marks()).toEqual(["control-plane-begun", "kept-keys", "reset-begun"]);
    expect(begin("true").status).toBe(0);
    expect(readdirSync(at("pki")).toSorted()).toEqual(keys);
  });
});

describe("a kubeadm that fails", () => {
  const begin = (command: string, phase: string, reason: string) =>
    sandbox.run(`${machine("control-plane.sh")}
      source <(declare -f begin | sed "s,/run/pulumi-kubeadm/job,$d,")
      kubeadm_failure=$d/failure NODE_NAME=cp1 KUBEADM_COMMAND=${command} KUBEADM_CONFIG=documents
      kubeadm() { echo "error: error execution phase ${phase}: ${reason}" >&2; return 1; }
      begin`);

  it.each([
    ["join", "etcd-join", "error creating local etcd static pod manifest file: context deadline exceeded", 75],
    ["join", "check-etcd", "etcdserver: leader changed", 75],
    ["join", "etcd-join", "the etcd member 1234 is not started", 1],
    ["join", "kubelet-start", "context deadline exceeded", 1],
    ["init", "etcd", "context deadline exceeded", 1],
  ])("in a %s's phase %s with '%s' ends with %d: 75 when another try is worth it", (command, phase, reason, expected) => {
    const { status, stderr } = begin(command, phase, reason);
    expect(status).toBe(expected);
    expect(stderr).toContain(`!!! kubeadm ${command} failed in its phase ${phase}\n`);
    expect(marks()).toContain("control-plane-begun");
  });
});

describe("what somebody made by hand", () => {
  const describeIt = (before: string) =>
    sandbox.run(`${machine("reset.sh")}
      source <(declare -f list_cluster_files describe_made_by_hand count_objects | sed "s,/etc/kubernetes,$d/kubernetes,g; s,/var/lib/kubelet,$d/kubelet,g; s,/var/lib/etcd,$d/etcd,g")
      RENEW= CA_CERT=
      rm -f "$control_plane_ended"
      mkdir -p $d/kubernetes/{manifests,pki} $d/kubelet/pki
      kubectl() { return 1; }
      ${before}
      stage_inspect`);
  const byHand = (before: string) => JSON.parse(describeIt(before).stdout).facts.byHand;

  it("is nothing on a machine that is only prepared, and on one that bears a mark of ours", () => {
    expect(byHand("")).toBeNull();
    for (const mark of ["control_plane_begun", "control_plane_ended", "worker_begun"]) expect(byHand(`touch $d/kubernetes/kubelet.conf; : > "$${mark}"`)).toBeNull();
  });

  it("is told with its version, its node and what is in it", () => {
    const found = byHand(`
      printf 'spec:\n  containers:\n  - image: registry.k8s.io/kube-apiserver:v1.37.1\n' > $d/kubernetes/manifests/kube-apiserver.yaml
      touch -d @1766000000 $d/kubernetes/admin.conf
      printf 'x\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nsecret\n' > $d/kubelet/pki/kubelet-client-current.pem
      kubectl() { case $* in *' get namespaces '*) printf 'namespace/a\nnamespace/b\n' ;; *) printf 'pod/x\n' ;; esac; }`);
    expect(found).toEqual({ role: "control-plane", version: "1.37.1", certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", since: 1766000000, namespaces: 2, pods: 1 });
  });

  it("may be a worker, or a control plane that does not answer", () => {
    expect(byHand("touch $d/kubernetes/kubelet.conf; kubelet() { echo Kubernetes v1.36.3; }")).toMatchObject({ role: "worker", version: "1.36.3", namespaces: null, pods: null });
    expect(byHand("touch $d/kubernetes/admin.conf")).toMatchObject({ role: "control-plane", version: "", namespaces: null });
  });
});

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readScript } from "../../../machine/render.ts";
import { Sandbox } from "../stages/shell.ts";

let sandbox: Sandbox;
const put = (path: string, text: string) => writeFileSync(join(sandbox.directory, path), text);

/** Runs the script's inspect with this directory for a disk, and gives its document. */
function glance(more = ""): Record<string, unknown> {
  const { stdout, stderr } = sandbox.run(`${readScript("glance.sh")}
    config_dir=$d pki=$d/pki kubelet_certificate=$d/none job=$d/job owner_file=$d/state/owner
    ${more}
    stage_inspect`);
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout) as Record<string, unknown>;
}

beforeEach(() => {
  sandbox = new Sandbox();
  mkdirSync(join(sandbox.directory, "state"));
  mkdirSync(join(sandbox.directory, "job"));
});
afterEach(() => sandbox[Symbol.dispose]());

// Its work directory lies in /run.
describe.skipIf(process.getuid?.() !== 0)("scripts/glance.sh", () => {
  test("on a bare machine there is nothing to tell but the disk", () => {
    expect(glance()).toEqual({
      owner: "", stages: [], joined: false, byHand: null, job: null, certificates: [], cluster: null,
      disk: { availableBytes: expect.any(Number), sizeBytes: expect.any(Number) },
    });
  });

  test("whose it is, how far it is", () => {
    put("state/owner", "p/s/c\n");
    put("state/order", "kernel\ncontainer-runtime\n");
    put("kubelet.conf", "x");
    expect(glance()).toMatchObject({ owner: "p/s/c", stages: ["kernel", "container-runtime"], joined: true });
  });

  test("the nodes as kubectl shows them, and of the pods those that do not run", () => {
    for (const file of ["kubelet.conf", "admin.conf"]) put(file, "x");
    const kubectl = `kubectl() { case $* in
      *"get nodes"*) echo 's01   Ready   control-plane   5m   v1.37.1' ;;
      *"get pods --all-namespaces"*) printf '%s\\n' 'kube-system   etcd-s01   1/1   Running   0   5m' 'a   job   0/1   Completed   0   5m' 'a   web-1   0/1   CrashLoopBackOff   3 (2m ago)   5m' 'a   web-2   1/2   Running   0   5m' ;;
    esac; }
    timeout() { shift; "$@"; }`;
    expect(glance(kubectl).cluster).toEqual({
      nodes: "s01   Ready   control-plane   5m   v1.37.1",
      pods: "a web-1 0/1 CrashLoopBackOff 3 (2m ago)   5m\na web-2 1/2 Running 0   5m",
    });
  });

  test("what somebody made by hand is no cluster of ours, and is not asked", () => {
    for (const file of ["kubelet.conf", "admin.conf"]) put(file, "x");
    put("state/owner", "p/s/c\n");
    const byHand = { role: "worker", version: "1.37.1", certificate: "", since: 1, namespaces: null, pods: null };
    const made = `made_by_hand() { true; }\ndescribe_made_by_hand() { printf '%s' '${JSON.stringify(byHand)}'; }\ntimeout() { exit 3; }`;
    expect(glance(made)).toMatchObject({ joined: false, byHand, cluster: null });
  });

  test("why the cluster says nothing, in the last words of kubectl", () => {
    for (const file of ["kubelet.conf", "admin.conf"]) put(file, "x");
    const fails = "timeout() { shift; \"$@\"; }\nkubectl() { printf 'E1 try one\\nThe connection to the server was \"refused\"\\n' >&2; return 1; }";
    expect(glance(fails).cluster).toEqual({ error: 'The connection to the server was "refused"' });
    expect(glance("timeout() { return 124; }").cluster).toEqual({ error: "kubectl did not answer within 20 s" });
  });

  test("the job that runs, and the last thing that it said it does", () => {
    put("job/holder", "kernel\napply\n2026-11-21T09:00:00Z\nsomebody\n");
    put("job/output", "==> loading modules\nnoise\n==> setting \"sysctls\"\nmore noise\n");
    expect(glance().job).toBeNull();
    symlinkSync("x", join(sandbox.directory, "invocation:pulumi-kubeadm.service"));
    const running = `eval "$(declare -f job_runs | sed "s|/run/systemd/units|$d|")"`;
    expect(glance(running).job).toEqual({ stage: "kernel", verb: "apply", since: "2026-11-21T09:00:00Z", doing: 'setting "sysctls"' });
    // It has ended, and systemd clears up.
    put("job/exit", "0\n");
    expect(glance(running).job).toBeNull();
  });
});

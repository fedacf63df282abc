import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { observe } from "../../../controlplane/observe.ts";
import { planRecovery, recover, recoveryText } from "../../../controlplane/recover.ts";
import { inspect } from "../../../machine/inspect.ts";
import { runJob, type JobRequest } from "../../../machine/job.ts";
import { readScript } from "../../../machine/render.ts";
import type { Reporter } from "../../../machine/reporter.ts";
import { look, member, settings, type Fault } from "../cli/control-planes.ts";
import { Sandbox } from "../stages/shell.ts";

vi.mock(import("../../../controlplane/observe.ts"), async (original) => ({ ...(await original()), observe: vi.fn() }));
vi.mock(import("../../../machine/inspect.ts"), async (original) => ({ ...(await original()), inspect: vi.fn() }));
vi.mock(import("../../../machine/job.ts"), async (original) => ({ ...(await original()), runJob: vi.fn() }));

const silent: Reporter = { progress: () => {}, info: () => {}, warn: () => {} };
const lost: Fault[] = [{}, {}, { dead: true }, { dead: true }, { dead: true }];

/** The machines look like this, and an earlier recovery of the survivor did not end there. */
function given(faults: readonly Fault[], { unfinished = "", snapshotBytes = null as number | null } = {}) {
  vi.mocked(observe).mockResolvedValue(look(faults));
  vi.mocked(inspect).mockResolvedValue({ facts: { unfinished, snapshotBytes } });
}
const plan = (faults: readonly Fault[], from = "cp1", snapshot?: string) =>
  planRecovery({ cluster: settings, members: faults.map((_, index) => member(`cp${index + 1}`)), leaving: [], caCertHash: "sha256:a", from, snapshot }, silent);

describe("the plan of a recovery", () => {
  test("resets whom it can reach, and leaves out whom it cannot", async () => {
    given(lost);
    const { from, reset, lost: gone, nodes } = await plan(lost);
    expect(from.name).toBe("cp1");
    expect(reset.map(({ machine }) => machine.name)).toEqual(["cp2"]);
    expect(gone.map(({ machine }) => machine.name)).toEqual(["cp3", "cp4", "cp5"]);
    expect(nodes).toEqual(["cp2", "cp3", "cp4", "cp5"]);
  });

  test("is told before anything is done", async () => {
    given(lost);
    const text = recoveryText(await plan(lost)).join("\n");
    expect(text).toContain("cp1 becomes the only member of etcd, from its own data (log index 5000)");
    expect(text).toContain("cp2 is reset in the end: its part of the old cluster is deleted (log index 5000)");
    expect(text).toContain("cp3 cannot be reached and is left as it is: no answer within 30 s");
    expect(text).toContain("cp3 and cp4 and cp5 must be switched off now, and must never come back with the disk as it is");
    expect(text).not.toContain("WARNING");
  });

  test("warns when another machine has newer data", async () => {
    const faults: Fault[] = [{ behind: 10 }, {}, { dead: true }, { dead: true }, { dead: true }];
    given(faults);
    expect(recoveryText(await plan(faults)).join("\n")).toContain("WARNING: cp2 has newer data (log index 5000) than cp1 (log index 4990): recover from cp2 instead.");
  });

  test.each<[string, readonly Fault[]]>([
    ["all are healthy", [{}, {}, {}]],
    ["one of three is dead", [{}, {}, { dead: true }]],
    ["two of five are dead", [{}, {}, {}, { dead: true }, { dead: true }]],
  ])("is refused while there is a quorum: %s", async (_, faults) => {
    given(faults);
    await expect(plan(faults)).rejects.toThrow(/^recovery refused: etcd has quorum: \d of \d voters healthy, as cp1 sees it/);
  });

  test("goes on after a run that did not end, which may have made a cluster of one", async () => {
    const three: Fault[] = [{}, { state: "none" }, { dead: true }];
    const halfway = { ...look(three), machines: [...look([{}]).machines, ...look(three).machines.slice(1)] };
    given(three);
    vi.mocked(observe).mockResolvedValue(halfway);
    await expect(plan(three)).rejects.toThrow("etcd has quorum: 1 of 1 voters healthy");
    given(three, { unfinished: "/var/lib/pulumi-kubeadm/recover-x" });
    vi.mocked(observe).mockResolvedValue(halfway);
    const planned = await plan(three);
    expect(planned).toMatchObject({ unfinished: "/var/lib/pulumi-kubeadm/recover-x", reset: [], nodes: ["cp2", "cp3"] });
    expect(recoveryText(planned).join("\n")).toContain("they are in /var/lib/pulumi-kubeadm/recover-x already");
  });

  test.each<[string, readonly Fault[], string, string]>([
    ["a machine that is none of them", lost, "w1", "w1 is no control plane of the cluster lab, which has cp1, cp2, cp3, cp4, cp5"],
    ["one that cannot be reached", lost, "cp3", "cp3 cannot be reached: no answer within 30 s"],
    ["one without a control plane", [{ state: "none" }, { dead: true }, { dead: true }], "cp1", "cp1 holds no control plane of this cluster that was finished"],
    ["a learner", [{ learner: true }, { dead: true }, { dead: true }, { dead: true }], "cp1", "cp1 is a learner"],
  ])("is refused from %s", async (_, faults, from, reason) => {
    given(faults);
    await expect(plan(faults, from)).rejects.toThrow(`recovery refused: ${reason}`);
  });

  test("from a snapshot needs one on the machine", async () => {
    given(lost);
    await expect(plan(lost, "cp1", "/snap.db")).rejects.toThrow("recovery refused: there is no snapshot /snap.db on cp1, nor on this computer");
    given(lost, { snapshotBytes: 4096 });
    expect(recoveryText(await plan(lost, "cp1", "/snap.db")).join("\n")).toContain("cp1 becomes the only member of etcd, from the snapshot /snap.db");
  });

  test("leaves a control plane of another cluster alone", async () => {
    const faults: Fault[] = [{}, { state: "foreign" }, { dead: true }, { dead: true }];
    given(faults);
    expect(await plan(faults)).toMatchObject({ reset: [], nodes: ["cp3", "cp4"] });
  });
});

describe("a recovery", () => {
  const jobs = () => vi.mocked(runJob).mock.calls.map(([{ target, stage, environment }]) => `${target.name}: ${stage}${environment.PHASE ? ` ${environment.PHASE}` : ""}`);
  const answer = ({ environment }: JobRequest) => Promise.resolve(environment.PHASE === "recover" ? { kept: "/kept" } : {});
  const failAt = (step: string) =>
    vi.mocked(runJob).mockImplementation((request) => (jobs().at(-1) === step ? Promise.reject(new Error("it failed")) : answer(request)));
  const run = async () => recover(await plan(lost), "me", () => silent);

  beforeEach(() => {
    vi.mocked(runJob).mockReset().mockImplementation(answer);
    given(lost);
  });

  test("checks the survivor, stops the others, makes it a cluster of its own, and resets the others only then", async () => {
    expect(await run()).toBe("/kept");
    expect(jobs()).toEqual(["cp1: etcd-recover prepare", "cp2: etcd-recover stop", "cp1: etcd-recover recover", "cp2: reset"]);
    expect(vi.mocked(runJob).mock.calls[0]![0].environment).toMatchObject({ NODE_NAME: "cp1", NODES: "cp2 cp3 cp4 cp5", SNAPSHOT: "", API_PORT: "6443" });
  });

  test("stops before anything is changed when the quorum has come back meanwhile", async () => {
    const planned = await plan(lost);
    given([{}, {}, {}, { dead: true }, { dead: true }]);
    await expect(recover(planned, "me", () => silent)).rejects.toThrow("etcd has quorum");
    expect(jobs()).toEqual([]);
  });

  test.each([
    ["does not stop the others when the survivor cannot be recovered from", "cp1: etcd-recover prepare"],
    ["does not go on when another control plane could not be stopped", "cp2: etcd-recover stop"],
    ["leaves the data of the others when the survivor does not start", "cp1: etcd-recover recover"],
  ])("%s", async (_, step) => {
    failAt(step);
    await expect(run()).rejects.toThrow("it failed");
    expect(jobs().at(-1)).toBe(step);
  });

  test("ends well when another one, which is stopped, could not be reset", async () => {
    failAt("cp2: reset");
    expect(await run()).toBe("/kept");
  });
});

describe("on the survivor", () => {
  const manifest = `apiVersion: v1
spec:
  containers:
  - command:
    - etcd
    - --initial-advertise-peer-urls=https://10.0.0.11:2380
    - --name=cp1
    image: registry.k8s.io/etcd:3.7.0-0
`;
  let sandbox: Sandbox;
  const at = (path: string) => join(sandbox.directory, path);
  const read = (path: string) => readFileSync(at(path), "utf8");

  beforeEach(() => {
    sandbox = new Sandbox();
    for (const directory of ["manifests", "etcd/member", "state"]) mkdirSync(at(directory), { recursive: true });
    writeFileSync(at("manifests/etcd.yaml"), manifest);
    writeFileSync(at("manifests/kube-apiserver.yaml"), "apiserver\n");
    writeFileSync(at("etcd/member/db"), "old");
    writeFileSync(at("snapshot.db"), "snapshot");
  });
  afterEach(() => sandbox[Symbol.dispose]());

  /**
   * A machine whose kubelet does at once what the manifests say; `told` is what happened to it. etcd lists itself alone when it was
   * started with the flag, or on restored data.
   */
  const run = (phase: "stop" | "prepare" | "recover", { snapshot = "", more = "" } = {}) =>
    sandbox.run(`${readScript("etcd-recover.sh")}
      manifests=$d/manifests data_dir=$d/etcd recovery_mark=$d/etcd/mark restored=$d/etcd/restored
      NODE_NAME=cp1 API_PORT=6443 SNAPSHOT=${snapshot && "$d/snapshot.db"} NODES="cp2 cp3" PHASE=${phase} JOB_RESULT=$d/result
      need_control_plane() { :; }
      etcd_container() { [[ -e $manifests/etcd.yaml ]] && echo c1; }
      etcdctl() {
        case $(< "$manifests/etcd.yaml") in *--force-new-cluster*) touch $d/alone ;; esac
        echo "1, started, cp1, https://10.0.0.11:2380, https://10.0.0.11:2379, false"
        [[ -e $d/alone || -e $d/etcd/member/restored ]] || echo "2, started, cp2, https://10.0.0.12:2380, https://10.0.0.12:2379, false"
      }
      etcdutl() { echo "etcdutl $*" >> $d/told; mkdir -p $d/etcd/restored/member/restored; }
      crictl() {
        case " $* " in
          *" inspect "*) cat "$manifests/etcd.yaml" ;;
          *" ps "*) [[ $* != *"^(etcd"* || ! -e $manifests/etcd.yaml ]] || echo c1 ;;
        esac
      }
      systemctl() { :; }
      journalctl() { :; }
      kubectl() { echo "kubectl $*" >> $d/told; }
      sync() { :; }
      # Each condition is asked for once: what is not so now will not be.
      wait_until() { local what=$2; shift 2; "$@" || { waited="waited in vain for $what"; return 1; }; }
      eval "write_$(declare -f put_manifest)"
      put_manifest() { write_put_manifest "$@"; echo "manifest $1 $(grep -c -- --force "$manifests/$1.yaml")" >> $d/told; }
      ${more}
      exec 2>&1; stage_apply`);
  const kept = () => readdirSync(at("state")).find((name) => name.startsWith("recover-"))!;

  test("etcd is started with the flag once, and then as before; how it was is kept", () => {
    expect(run("prepare").status).toBe(0);
    expect(existsSync(at("told"))).toBe(false);
    expect(run("recover").status).toBe(0);
    expect(read("told").split("\n").filter((line) => line.startsWith("manifest"))).toEqual(["manifest etcd 1", "manifest etcd 0"]);
    expect(read("manifests/etcd.yaml")).toBe(manifest);
    expect(read(`state/${kept()}/etcd/member/db`)).toBe("old");
    expect(read(`state/${kept()}/manifests/etcd.yaml`)).toBe(manifest);
    expect(JSON.parse(read("result"))).toEqual({ kept: at(`state/${kept()}`) });
    expect(read("told")).toContain("delete node --ignore-not-found --wait=false cp2 cp3\n");
    expect(readdirSync(at("etcd"))).toEqual(["member"]);
  });

  test("a run that was killed between the two starts goes on, and the flag does not stay", () => {
    run("recover", { more: "put_back() { exit 9; }" });
    expect(read("manifests/etcd.yaml")).toContain("    - etcd\n    - --force-new-cluster\n    - --initial");
    expect(run("recover").status).toBe(0);
    expect(read("manifests/etcd.yaml")).toBe(manifest);
    expect(readdirSync(at("state"))).toEqual([kept()]);
    expect(read(`state/${kept()}/manifests/etcd.yaml`)).toBe(manifest);
  });

  test("an etcd that does not start so runs as before, and the next step is told", () => {
    const { status, stdout } = run("recover", { more: "is_alone() { return 1; }" });
    expect(status).toBe(1);
    expect(stdout).toContain("!!! etcd on cp1 did not start as the only member from the data that is there");
    expect(stdout).toContain("from a snapshot with --snapshot. The data as it was is in ");
    expect(read("manifests/etcd.yaml")).toBe(manifest);
  });

  test("a snapshot is restored beside the data before anything stops, and then takes its place", () => {
    expect(run("prepare", { snapshot: "yes" }).status).toBe(0);
    expect(read("etcd/member/db")).toBe("old");
    expect(read("told")).toMatch(
      /etcdutl snapshot restore .*\/snapshot\.db --data-dir .*\/etcd\/restored --name cp1 --initial-cluster cp1=https:\/\/10\.0\.0\.11:2380 --initial-advertise-peer-urls https:\/\/10\.0\.0\.11:2380 --initial-cluster-token pulumi-kubeadm-\S+ --bump-revision 1000000000 --mark-compacted\n/,
    );
    expect(run("recover", { snapshot: "yes" }).status).toBe(0);
    expect(existsSync(at("etcd/member/restored"))).toBe(true);
    expect(read(`state/${kept()}/etcd/member/db`)).toBe("old");
    expect(read("manifests/etcd.yaml")).toBe(manifest);
    expect(read("manifests/kube-apiserver.yaml")).toBe("apiserver\n");
    expect(read("told")).not.toContain("manifest etcd 1");
  });

  test("a snapshot that is in its place already is not restored again", () => {
    run("prepare", { snapshot: "yes" });
    expect(run("recover", { snapshot: "yes", more: "runs_alone() { return 1; }" }).status).toBe(1);
    writeFileSync(at("etcd/member/written-since"), "");
    expect(run("prepare", { snapshot: "yes" }).status).toBe(0);
    expect(run("recover", { snapshot: "yes" }).status).toBe(0);
    expect(existsSync(at("etcd/member/written-since"))).toBe(true);
    expect(existsSync(at("etcd/mark"))).toBe(false);
  });

  test("a snapshot cannot be restored without etcdutl, and nothing stops", () => {
    const image = "unset -f etcdutl; PATH=/nowhere:$PATH; command() { return 1; }; ctr() { :; }; mkdir() { [[ $* == *etcd-image* ]] || /bin/mkdir \"$@\"; }; rmdir() { :; }";
    const { status, stdout } = run("prepare", { snapshot: "yes", more: image });
    expect(status).toBe(1);
    expect(stdout).toContain("!!! there is no etcdutl on cp1, and none in the image registry.k8s.io/etcd:3.7.0-0");
    expect(read("manifests/etcd.yaml")).toBe(manifest);
  });

  test("another member is stopped and keeps its data; a recovery from it may follow", () => {
    expect(run("stop").status).toBe(0);
    expect(existsSync(at("manifests/etcd.yaml"))).toBe(false);
    expect(read("etcd/member/db")).toBe("old");
    expect(existsSync(at("told"))).toBe(false);
    expect(run("stop").status).toBe(0);
    expect(run("recover").status).toBe(0);
    expect(read("manifests/etcd.yaml")).toBe(manifest);
  });

  test("a manifest that kubeadm did not write is not guessed at", () => {
    writeFileSync(at("manifests/etcd.yaml"), manifest.replace("- etcd\n", "- etcd\n    - --force-new-cluster\n"));
    expect(run("prepare").stdout).toContain("is not the manifest that kubeadm writes");
  });

  test("without data there is nothing to recover from", () => {
    const { status, stdout } = run("prepare", { more: "rm -r $d/etcd/member" });
    expect(status).toBe(1);
    expect(stdout).toContain("there is no data to recover from");
  });
});

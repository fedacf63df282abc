import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { download, removeFile, upload } from "../../../cli/copy-file.ts";
import { addRecover } from "../../../cli/recover.ts";
import { addSnapshot } from "../../../cli/snapshot.ts";
import { readCluster } from "../../../cli/stack.ts";
import { addStatus } from "../../../cli/status.ts";
import { observe } from "../../../controlplane/observe.ts";
import { planRecovery, recover, type Recovery } from "../../../controlplane/recover.ts";
import { takeSnapshot } from "../../../controlplane/snapshot.ts";
import { lookAtStatus } from "../../../controlplane/status.ts";
import { look, machines, member, settings } from "./control-planes.ts";

vi.mock(import("../../../cli/stack.ts"), async (original) => ({ ...(await original()), readCluster: vi.fn() }));
vi.mock(import("../../../cli/copy-file.ts"), async (original) => ({ ...(await original()), download: vi.fn(), upload: vi.fn(), removeFile: vi.fn() }));
vi.mock(import("../../../controlplane/observe.ts"), async (original) => ({ ...(await original()), observe: vi.fn() }));
vi.mock(import("../../../controlplane/recover.ts"), async (original) => ({ ...(await original()), planRecovery: vi.fn(), recover: vi.fn() }));
vi.mock(import("../../../controlplane/snapshot.ts"), async (original) => ({ ...(await original()), takeSnapshot: vi.fn() }));
vi.mock(import("../../../controlplane/status.ts"), async (original) => ({ ...(await original()), lookAtStatus: vi.fn() }));

const lost = look([{}, {}, { dead: true }, { dead: true }]);
const snapshot = { path: "/var/lib/pulumi-kubeadm/snapshots/etcd-x.db", sha256: "ab", bytes: 7 };
let directory: string;
let printed: string[];

async function run(...args: string[]): Promise<void> {
  const program = new Command().exitOverride();
  for (const add of [addStatus, addSnapshot, addRecover]) add(program);
  await program.parseAsync(args, { from: "user" });
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-cli-"));
  printed = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.mocked(readCluster).mockResolvedValue({ cluster: settings, members: ["cp1", "cp2", "cp3"].map(member), leaving: [], caCertHash: "sha256:a", workers: [] });
  vi.mocked(takeSnapshot).mockResolvedValue(snapshot);
  const [from, other] = machines(["cp1", "cp2"]);
  const planned: Recovery = { cluster: settings, from: from!, observation: lost, reset: [{ machine: other!, report: lost.machines[1]! }], lost: [], nodes: ["cp2"] };
  vi.mocked(planRecovery).mockResolvedValue(planned);
  vi.mocked(recover).mockResolvedValue("/kept");
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  vi.restoreAllMocks();
  vi.clearAllMocks();
  process.exitCode = undefined;
});

describe("status", () => {
  const facts = (faults: Parameters<typeof look>[0]) => {
    const observation = look(faults);
    const nodes = observation.machines.map(({ name }) => ({ name, ready: true, cordoned: false, kubelet: "v1.37.1" }));
    return { observation, machines: observation.machines.map((_, index) => ({ certificates: [], holdsVip: index === 0 })), nodes };
  };

  test.each([
    [0, [{}, {}, {}]],
    [1, [{}, {}, { silent: true as const }]],
    [2, [{ dead: true as const }, { dead: true as const }, { dead: true as const }]],
  ])("ends with %i", async (code, faults) => {
    vi.mocked(lookAtStatus).mockResolvedValue(facts(faults));
    await run("status");
    expect(process.exitCode).toBe(code);
  });

  test("ends with 2 when the stack cannot be read", async () => {
    vi.mocked(readCluster).mockRejectedValue(new Error("no stack"));
    await expect(run("status")).rejects.toThrow("no stack");
    expect(process.exitCode).toBe(2);
  });

  test("is a JSON document when asked for", async () => {
    vi.mocked(lookAtStatus).mockResolvedValue(facts([{}, {}, {}]));
    await run("status", "--json");
    expect(JSON.parse(printed.join("\n"))).toMatchObject({ cluster: "lab", verdict: "healthy", controlPlanes: [{ name: "cp1", role: "leader" }, {}, {}] });
  });
});

describe("snapshot", () => {
  beforeEach(() => void vi.mocked(observe).mockResolvedValue(look([{}, {}, {}])));

  test("is taken on a follower, and copied only when asked for", async () => {
    await run("snapshot");
    expect(takeSnapshot).toHaveBeenCalledWith(expect.objectContaining({ name: "cp2" }), "/var/lib/pulumi-kubeadm/snapshots", expect.stringContaining("pulumi-kubeadm snapshot"), expect.anything());
    expect(printed.join("\n")).toBe("cp2:/var/lib/pulumi-kubeadm/snapshots/etcd-x.db\n  7 bytes\n  SHA-256 ab");
    expect(download).not.toHaveBeenCalled();
    await run("snapshot", "--output", join(directory, "x.db"));
    expect(download).toHaveBeenCalledWith(expect.objectContaining({ name: "cp2" }), snapshot, join(directory, "x.db"), expect.anything());
  });

  test.each(["x.db", "x.db.sha256"])("is not taken when %s is there already", async (name) => {
    writeFileSync(join(directory, name), "");
    await expect(run("snapshot", "--output", join(directory, "x.db"))).rejects.toThrow(`${join(directory, name)} exists and is not overwritten`);
    expect(takeSnapshot).not.toHaveBeenCalled();
  });

  test("is not to be had where no etcd answers", async () => {
    vi.mocked(observe).mockResolvedValue(look([{ dead: true }]));
    await expect(run("snapshot")).rejects.toThrow("No control plane runs an etcd that answers.");
  });
});

describe("recover", () => {
  test("shows the plan and changes nothing where nobody can be asked", async () => {
    const { isTTY } = process.stdin;
    process.stdin.isTTY = false;
    await expect(run("recover", "--from", "cp1")).rejects.toThrow("Next: read what it does above, and add --yes.");
    process.stdin.isTTY = isTTY;
    expect(printed.join("\n")).toContain("cp1 becomes the only member of etcd");
    expect(recover).not.toHaveBeenCalled();
  });

  test("says what comes after it", async () => {
    await run("recover", "--from", "cp1", "--yes");
    expect(printed.at(-1)).toMatch(/^cp1 is the only member of etcd now.* \/kept there.*\nNext: run `pulumi up`: it joins the others again\.$/s);
  });

  test("takes a snapshot of this computer to the machine, and away again", async () => {
    const file = join(directory, "x.db");
    writeFileSync(file, "x");
    await run("recover", "--from", "cp1", "--yes", "--snapshot", file);
    expect(vi.mocked(planRecovery).mock.calls[0]![0]).toMatchObject({ from: "cp1", snapshot: undefined });
    expect(printed[0]).toContain(`from the snapshot ${file} of this computer`);
    expect(vi.mocked(upload).mock.calls[0]!.slice(1, 3)).toEqual([file, "/var/lib/pulumi-kubeadm/recover-upload.db"]);
    expect(vi.mocked(recover).mock.calls[0]![0].snapshot).toBe("/var/lib/pulumi-kubeadm/recover-upload.db");
    expect(removeFile).toHaveBeenCalledOnce();
  });

  test("takes any other name for a file on the machine", async () => {
    await run("recover", "--from", "cp1", "--yes", "--snapshot", "/var/backups/x.db");
    expect(vi.mocked(planRecovery).mock.calls[0]![0]).toMatchObject({ snapshot: "/var/backups/x.db" });
    expect(upload).not.toHaveBeenCalled();
  });
});

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { observe } from "../../../controlplane/observe.ts";
import { onControlPlane } from "../../../controlplane/on-control-plane.ts";
import { lookAtStatus } from "../../../controlplane/status.ts";
import { MachineError } from "../../../machine/errors.ts";
import { inspect } from "../../../machine/inspect.ts";
import { readScript } from "../../../machine/render.ts";
import { look, member, settings } from "../cli/control-planes.ts";
import { Sandbox } from "../stages/shell.ts";

vi.mock(import("../../../controlplane/observe.ts"), async (original) => ({ ...(await original()), observe: vi.fn() }));
vi.mock(import("../../../controlplane/on-control-plane.ts"), async (original) => ({ ...(await original()), onControlPlane: vi.fn() }));
vi.mock(import("../../../machine/inspect.ts"), async (original) => ({ ...(await original()), inspect: vi.fn() }));

/** Ends on 20 November 2027, 13:47:03 UTC. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUT5hqB01+PLiT2RxTvWU1KVid+ZMwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjExMzQ3MDNaFw0yNzExMjAxMzQ3MDNa
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQoaHIn
HTkUVBMv8+oovF7zf49oG3ZZT/i7hPi+8oRc4fMmonSgbREhMVnff9HuPlg9fx8n
9pHM3ftEV/kOPOmpo1MwUTAdBgNVHQ4EFgQUM5UeymgBRcwL56Q1GNyxzFJ/uCMw
HwYDVR0jBBgwFoAUM5UeymgBRcwL56Q1GNyxzFJ/uCMwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiEArQwT8p5x4VBDkPoC1XSUlGYi1ICLvnuHiKYJ
JPQaKo0CIEzo+c8dCL+PWRfbyyJHu8PhD8imZFU2ICP7mxRVS+6s
-----END CERTIFICATE-----
`;
const silent = { progress: () => {}, info: () => {}, warn: () => {} };
const failure = new MachineError({ machine: "cp1", stage: "status", cause: "no", next: "none" });

describe("on a control plane", () => {
  let sandbox: Sandbox;
  const put = (path: string, text: string) => writeFileSync(join(sandbox.directory, path), text);
  const run = (vip: string, nodes = "", more = "") =>
    sandbox.run(`${readScript("status.sh")}
      config_dir=$d pki=$d/pki kubelet_certificate=$d/kubelet.pem ENDPOINT_VIP=${vip} ASK_NODES=${nodes}
      ip() { [[ $* != *"10.0.0.100/32" ]] || echo "2: ens3 inet 10.0.0.100/32"; }
      ${more}
      stage_inspect`);
  const factsOf = (output: string) => (JSON.parse(output) as { facts: object }).facts;

  beforeEach(() => {
    sandbox = new Sandbox();
    mkdirSync(join(sandbox.directory, "pki/etcd"), { recursive: true });
  });
  afterEach(() => sandbox[Symbol.dispose]());

  test("every certificate is told, and no key", () => {
    const key = "-----BEGIN EC PRIVATE KEY-----\nSECRET\n-----END EC PRIVATE KEY-----\n";
    for (const path of ["pki/apiserver.crt", "pki/etcd/peer.crt"]) put(path, certificate);
    put("pki/apiserver.key", key);
    put("kubelet.pem", certificate + key);
    put("admin.conf", "    client-certificate-data: QUJD\n    client-key-data: U0VDUkVU\n");
    const { stdout } = run("");
    expect(factsOf(stdout)).toEqual({
      certificates: [
        ...["apiserver", "etcd-peer", "kubelet"].map((name) => ({ name, text: certificate.trim() })),
        { name: "admin.conf", text: "QUJD" },
      ],
      holdsVip: false,
    });
    expect(stdout).not.toMatch(/SECRET|U0VDUkVU/);
  });

  test.each([
    ["10.0.0.100", true],
    ["10.0.0.101", false],
    ["", false],
  ])("the vip %j is there: %j", (vip, holdsVip) => expect(factsOf(run(vip).stdout)).toMatchObject({ holdsVip }));

  test("the nodes are told as kubectl has them, and an apiserver that does not answer is a failure", () => {
    expect(factsOf(run("", "yes", "kubectl() { printf 'cp1\\tTrue\\t\\tv1.37.1\\n'; }").stdout)).toEqual({ nodes: "cp1\tTrue\t\tv1.37.1" });
    expect(run("", "yes", "kubectl() { return 1; }").status).toBe(1);
  });
});

describe("a look at a cluster", () => {
  const see = (count: number) => lookAtStatus(settings, Array.from({ length: count }, (_, index) => member(`cp${index + 1}`)), [], silent);

  beforeEach(() => {
    vi.mocked(observe).mockResolvedValue(look([{ notReady: true }, {}, { dead: true }]));
    vi.mocked(inspect).mockReset().mockResolvedValue({
      facts: { certificates: [{ name: "apiserver", text: certificate }, { name: "admin.conf", text: Buffer.from(certificate).toString("base64") }, { name: "odd", text: "-----BEGIN" }], holdsVip: true },
    });
    vi.mocked(onControlPlane).mockReset().mockResolvedValue({ facts: { nodes: "cp1\tTrue\t\tv1.37.1\ncp2\tUnknown\ttrue\tv1.37.0" } });
  });

  test("reads when certificates end, from PEM and from a kubeconfig", async () => {
    const expires = new Date("2027-11-20T13:47:03Z");
    const { machines } = await see(3);
    expect(machines[0]).toEqual({ certificates: [{ name: "apiserver", expires }, { name: "admin.conf", expires }], holdsVip: true });
  });

  test("does not wait again for a machine that did not answer, and asks a ready one for the nodes", async () => {
    const { machines, nodes } = await see(3);
    expect(machines.map((machine) => machine !== undefined)).toEqual([true, true, false]);
    expect(vi.mocked(inspect).mock.calls.map(([target]) => target.name)).toEqual(["cp1", "cp2"]);
    expect(vi.mocked(onControlPlane).mock.calls[0]![0].map(({ name }) => name)).toEqual(["cp2", "cp1"]);
    expect(nodes).toEqual([
      { name: "cp1", ready: true, cordoned: false, kubelet: "v1.37.1" },
      { name: "cp2", ready: false, cordoned: true, kubelet: "v1.37.0" },
    ]);
  });

  test("has no nodes when no apiserver tells them, and nothing of a machine that goes away meanwhile", async () => {
    vi.mocked(onControlPlane).mockRejectedValue(failure);
    vi.mocked(inspect).mockRejectedValueOnce(failure);
    const { machines, nodes } = await see(3);
    expect(nodes).toBeUndefined();
    expect(machines[0]).toBeUndefined();
    expect(machines[1]).toBeDefined();
  });
});

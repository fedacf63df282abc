import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus, hostname } from "node:os";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseFacts, type MachineFacts } from "../../../machine/preflight/facts.ts";
import { renderEnvironment, renderScript } from "../../../machine/render.ts";

const run = promisify(execFile);

// The script only looks, but it does so as root and with apt: elsewhere the tests on real machines cover it.
const possible = process.getuid?.() === 0 && existsSync("/usr/lib/apt/apt-helper");

const architecture = process.arch === "x64" ? "amd64" : process.arch;
const stanza = (name: string, version: string, arch: string) =>
  `Package: ${name}\nVersion: ${version}\nArchitecture: ${arch}\nDescription: x\n Version: 9.9.9\n`;
const index = [
  stanza("kubeadm", "1.37.0-1.1", architecture),
  stanza("kubeadm", "1.37.1-1.1", architecture),
  stanza("kubeadm", "1.37.2-1.1", "s390x"),
  stanza("kubelet", "1.37.3-1.1", architecture),
  stanza("kubeadm-extra", "1.37.4-1.1", architecture),
].join("\n");

describe.skipIf(!possible)("scripts/preflight.sh", () => {
  let server: Server;
  let base: string;
  let facts: MachineFacts;
  const heads: string[] = [];

  async function inspect(environment: Record<string, string>): Promise<MachineFacts> {
    const script = `${renderEnvironment(environment)}\n${renderScript("preflight.sh")}`;
    const { stdout } = await run("bash", ["-c", script, "preflight", "inspect"]);
    return parseFacts(JSON.parse(stdout));
  }

  beforeAll(async () => {
    const files: Record<string, string | Buffer> = {
      "/new/InRelease": "signed",
      "/old/Release": "with a signature beside it",
      "/packed/Packages.gz": gzipSync(index),
      "/plain/Packages": index,
      "/v2/there/manifests/v1": "{}",
    };
    server = createServer((request, response) => {
      if (request.method === "HEAD") heads.push(`${request.url} ${request.headers.accept}`);
      const body = files[request.url!];
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    facts = await inspect({
      OWNER: "kube/dev/lab",
      APT_FILES: `new ${base}/new/InRelease\nold ${base}/old/InRelease\nmissing ${base}/{os}/InRelease\noff http://127.0.0.1:1/InRelease`,
      KUBEADM_INDEX: `${base}/packed/Packages`,
      WEB_ADDRESSES: `${base}/v2/there/manifests/v1\n${base}/v2/missing/manifests/v1\nhttp://127.0.0.1:1/v2/`,
      CA_CERTIFICATES: "",
      // Of a network that is for documentation only (RFC 5737): nobody here has it.
      ENDPOINT_VIP: "192.0.2.100",
      ENDPOINT_NAME: "localhost",
    });
  }, 60_000);

  afterAll(() => void server.close());

  it("tells what machine this is", () => {
    expect(facts.hostname).toBe(hostname());
    expect(facts.cpus).toBe(cpus().length);
    expect(facts.os.name).not.toBe("");
    expect(facts.filesystems.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["/", "/var/lib", "/opt"]),
    );
    expect(facts.addresses.map(({ ifname }) => ifname)).toContain("lo");
    expect(facts).toMatchObject({ owner: "", joined: false, jobRunning: false, packagesInterrupted: false });
  });

  it("tells the time of its beginning and its end", () => {
    expect(facts.clock.end).toBeGreaterThan(facts.clock.start);
    expect(Math.abs(facts.clock.end - Date.now() / 1000)).toBeLessThan(60);
  });

  it("finds the port that something listens on, and who does", () => {
    const { port } = server.address() as AddressInfo;
    expect(facts.listeners).toContainEqual({
      protocol: "tcp",
      port,
      process: expect.stringContaining(`process ${process.pid}`),
    });
  });

  it("reads repositories of both kinds, and says why it cannot read one", () => {
    const errors = Object.fromEntries(facts.repositories.map(({ name, error }) => [name, error]));
    expect(errors).toMatchObject({ new: "", old: "" });
    expect(errors.missing).toMatch(`${base}/${facts.os.id}/InRelease  404  Not Found`);
    expect(errors.off).toMatch(/Could not connect to 127\.0\.0\.1:1/);
  });

  it("reads kubeadm's versions for this processor, packed or not", async () => {
    const versions = ["1.37.0-1.1", "1.37.1-1.1"];
    expect(facts.kubeadmVersions).toEqual(versions);
    const plain = await inspect({
      OWNER: "x",
      APT_FILES: "",
      KUBEADM_INDEX: `${base}/plain/Packages`,
      WEB_ADDRESSES: "",
      CA_CERTIFICATES: "",
      ENDPOINT_VIP: "",
      ENDPOINT_NAME: "",
    });
    expect(plain.endpoint).toEqual({ kept: false, holder: "", resolved: [] });
    expect(plain).toMatchObject({ kubeadmVersions: versions, repositories: [], web: [] });
  }, 60_000);

  it("asks registries for manifests without fetching them", () => {
    expect(facts.web.toSorted((a, b) => a.url.length - b.url.length)).toEqual([
      { url: "http://127.0.0.1:1/v2/", status: 0, error: expect.stringContaining("connect") },
      { url: `${base}/v2/there/manifests/v1`, status: 200, error: "" },
      { url: `${base}/v2/missing/manifests/v1`, status: 404, error: "" },
    ]);
    expect(heads).toContainEqual(
      expect.stringMatching(
        /^\/v2\/there\/manifests\/v1 .*oci\.image\.index.*docker\.distribution\.manifest\.list/,
      ),
    );
  });

  it("tells what the endpoint's address and name are to this machine", () =>
    expect(facts.endpoint).toEqual({ kept: false, holder: "", resolved: ["127.0.0.1"] }));

  it("leaves nothing behind", async () => {
    // Scripts that other tests run at the same time have such directories too, for as long as they run.
    await expect
      .poll(() => readdirSync("/run").filter((name) => name.startsWith("pulumi-kubeadm-work")), {
        timeout: 10_000,
      })
      .toEqual([]);
  });
});

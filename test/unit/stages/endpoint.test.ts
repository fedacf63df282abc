import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readScript, renderEnvironment } from "../../../machine/render.ts";
import { endpoint } from "../../../machine/stages/endpoint.ts";
import { threeControlPlanes } from "./cluster.ts";
import { Sandbox, type ShellResult } from "./shell.ts";

let sandbox: Sandbox;
const at = (path: string) => join(sandbox.directory, path);

beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox[Symbol.dispose]());

const cluster = threeControlPlanes();
const alone = { ...cluster, controlPlanes: cluster.controlPlanes.slice(0, 1) };

/**
 * A control plane with keepalived on it, whose files lie in the sandbox. Its own address is on ens3; `vip` is where the API's address is:
 * here, on another machine, or nowhere. What systemd is told stands in `told`.
 */
const machine = (settings: typeof cluster, vip: "here" | "elsewhere" | "nowhere") => `
  ${renderEnvironment(endpoint.environment(endpoint.parameters(settings, settings.controlPlanes[0]!)))}
  ${readScript(endpoint.script)}
  config_file=$d/keepalived.conf check_file=$d/check-apiserver unit_file=$d/units/pulumi-kubeadm.conf loaded_file=$state_dir/endpoint-loaded
  read_packages() { package_version=([keepalived]=1 [curl]=1); }
  ip() {
    case "$*" in
      *"address show to 10.0.0.11/32") echo "2: ens3    inet 10.0.0.11/24 brd 10.0.0.255 scope global ens3" ;;
      *"address show to 10.0.0.100/32") [[ ${vip} != here ]] || echo "2: ens3    inet 10.0.0.100/32 scope global ens3" ;;
      *"neighbour show to 10.0.0.100"*) [[ ${vip} != elsewhere ]] || echo "10.0.0.100 dev ens3 lladdr 52:54:00:00:00:12 REACHABLE " ;;
    esac
  }
  wait_until() { shift 2; "$@"; }
  systemctl() {
    case "$*" in
      show*) if [[ -e $d/started ]]; then printf 'active\\nenabled\\n'; else printf 'inactive\\ndisabled\\n'; fi ;;
      is-enabled*) echo disabled ;;
      *is-active*) [[ -e $d/started ]] ;;
      *) echo "$*" >> "$d/told" ;;
    esac
    case "$*" in
      "restart keepalived") touch "$d/started" ;;
      "stop keepalived") rm "$d/started" ;;
    esac
  }
  journalctl() { :; }`;

const run = (script: string, settings = cluster, vip: "here" | "elsewhere" | "nowhere" = "elsewhere"): ShellResult =>
  sandbox.run(`${machine(settings, vip)}\n${script}`);
const inspected = (settings = cluster, vip: "here" | "elsewhere" | "nowhere" = "elsewhere") =>
  JSON.parse(run("stage_inspect", settings, vip).stdout) as { drift: string[]; facts: object };
const told = () => (existsSync(at("told")) ? readFileSync(at("told"), "utf8").trim().split("\n") : []);

describe("keepalived's configuration", () => {
  const peersOf = (settings: typeof cluster) =>
    /unicast_peer \{\n([^}]*)\n {2}\}/.exec(run("read_link; config_text", settings).stdout)![1]!.trim().split(/\s+/);

  it("has the address on the link of the cluster address", () => {
    const { stdout } = run("read_link; config_text");
    expect(stdout).toContain("\n  interface ens3\n");
    expect(stdout).toContain("\n  unicast_src_ip 10.0.0.11\n");
    expect(stdout).toContain("\n  virtual_ipaddress {\n    10.0.0.100/32 dev ens3\n  }\n");
    expect(stdout).toContain(`\n  script "${at("check-apiserver")} ready"\n`);
  });

  it("tells the other control planes and nobody else", () => expect(peersOf(cluster)).toEqual(["10.0.0.12", "10.0.0.13"]));

  it("of one that is alone tells itself: without a peer everybody on the network would be told", () => expect(peersOf(alone)).toEqual(["10.0.0.100"]));
});

describe("what keepalived asks", () => {
  /** Which of the two questions it says yes to, when these apiservers answer and the address is on this machine or not. */
  function answers(ready: string[], held = false): string[] {
    mkdirSync(at("bin"), { recursive: true });
    const program = (name: string, text: string) => writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    program("curl", `case "$*" in ${ready.map((address) => `*:6443:${address}" "*`).join("|")}) ;; *) exit 22 ;; esac`);
    program("ip", held ? "echo '2: ens3 inet 10.0.0.100/32'" : ":");
    writeFileSync(at("check"), run("check_text").stdout);
    return ["ready", "may-hold"].filter((question) => {
      try {
        execFileSync("sh", [at("check"), question], { env: { PATH: `${at("bin")}:${process.env.PATH!}` }, stdio: "pipe" });
        return true;
      } catch {
        return false;
      }
    });
  }

  it.each<[string, string[], boolean, string[]]>([
    ["its own apiserver is ready", ["127.0.0.1"], false, ["ready", "may-hold"]],
    ["it is, and another one has the address", ["127.0.0.1", "10.0.0.100"], false, ["ready", "may-hold"]],
    ["only another one is, which has the address", ["10.0.0.100"], false, []],
    ["none is, and another machine has the address", ["nobody"], false, ["may-hold"]],
    ["none is, and it has the address itself", ["nobody"], true, ["may-hold"]],
  ])("when %s", (_, ready, held, yes) => expect(answers(ready, held)).toEqual(yes));

  it("is asked with the certificate's name, and its own apiserver is verified", () => {
    expect(run("curl() { printf '<%s>' \"$@\"; }; eval \"$(check_text | sed '/^case/,$d')\"; own_ready").stdout).toBe(
      ["--silent", "--fail", "--output", "/dev/null", "--max-time", "3", "--noproxy", "*", "--resolve", "kubernetes-api.internal:6443:127.0.0.1"]
        .concat("--cacert", "/etc/kubernetes/pki/ca.crt", "https://kubernetes-api.internal:6443/readyz")
        .map((word) => `<${word}>`)
        .join(""),
    );
  });
});

describe("the stage", () => {
  it("starts keepalived once, and has nothing to do after that", () => {
    expect(run("stage_apply").status).toBe(0);
    expect(told()).toEqual(["--quiet enable keepalived", "daemon-reload", "restart keepalived"]);
    expect(statSync(at("check-apiserver")).mode & 0o777).toBe(0o755);
    expect(run("stage_apply").status).toBe(0);
    expect(told()).toHaveLength(3);
    expect(inspected()).toEqual({ stage: "endpoint", drift: [], facts: { holdsAddress: false } });
    expect(inspected(cluster, "here").facts).toEqual({ holdsAddress: true });
  });

  it("has keepalived read new peers without letting go of the address", () => {
    run("stage_apply", alone, "here");
    expect(run("stage_apply", cluster, "here").status).toBe(0);
    expect(told().slice(3)).toEqual(["--quiet enable keepalived", "reload keepalived"]);
  });

  it("goes on where it was ended between a new file and keepalived's reading it", () => {
    run("stage_apply");
    writeFileSync(at("keepalived.conf"), readFileSync(at("keepalived.conf")));
    expect(inspected().drift).toEqual([`keepalived runs with an older configuration than ${at("keepalived.conf")}`]);
    run("stage_apply");
    expect(told().at(-1)).toBe("reload keepalived");
    expect(inspected().drift).toEqual([]);
  });

  it("says what differs", () => {
    expect(inspected().drift).toEqual([
      `${at("check-apiserver")} is missing`,
      `${at("keepalived.conf")} is missing`,
      `${at("units/pulumi-kubeadm.conf")} is missing`,
      "keepalived does not start with the machine",
      "keepalived is not running",
    ]);
    run("stage_apply");
    expect(inspected(cluster, "nowhere").drift).toEqual(["no machine has the API's address 10.0.0.100"]);
    expect(JSON.parse(run("ip() { :; }\nstage_inspect").stdout).drift).toEqual(["no link has the cluster address 10.0.0.11"]);
  });

  it("fails when the address stays nowhere", () => {
    const { status, stderr } = run("stage_apply", cluster, "nowhere");
    expect(status).toBe(1);
    expect(stderr).toContain("!!! no machine has the API's address 10.0.0.100");
    expect(stderr).toContain(">>> read keepalived's own words above");
  });

  it("leaves nothing when it is undone, and stops keepalived before its files go", () => {
    run("stage_apply");
    expect(run("stage_remove").status).toBe(0);
    expect(told().slice(3)).toEqual(["--quiet disable keepalived", "stop keepalived", "reset-failed keepalived"]);
    for (const path of ["keepalived.conf", "check-apiserver", "units", "state/endpoint-loaded", "state/ledger/endpoint"]) expect(existsSync(at(path)), path).toBe(false);
  });
});

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./shell.ts";

let sandbox: Sandbox;
const at = (path: string) => join(sandbox.directory, path);
const ledger = (stage: string) => readFileSync(at(`state/ledger/${stage}`), "utf8").split("\n").slice(0, -1);

beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox[Symbol.dispose]());

describe("the undo ledger", () => {
  it("brings a file back as it was, with its mode, however often it was written", () => {
    writeFileSync(at("hosts.conf"), "theirs\n\n", { mode: 0o640 });
    sandbox.run('put_file s "$d/hosts.conf" $\'ours\\n\'; put_file s "$d/hosts.conf" $\'ours again\\n\'');
    expect(readFileSync(at("hosts.conf"), "utf8")).toBe("ours again\n");
    expect(ledger("s")).toHaveLength(1);
    expect(sandbox.run("ledger_undo s; undo_ended").status).toBe(0);
    expect(readFileSync(at("hosts.conf"), "utf8")).toBe("theirs\n\n");
    expect(statSync(at("hosts.conf")).mode & 0o777).toBe(0o640);
  });

  it("takes away what was not there, and the directories that were made for it", () => {
    sandbox.run('put_file s "$d/a/b/c.conf" text');
    expect(readFileSync(at("a/b/c.conf"), "utf8")).toBe("text");
    sandbox.run("ledger_undo s");
    expect(existsSync(at("a"))).toBe(false);
    expect(existsSync(at("state/ledger/s"))).toBe(false);
  });

  it("leaves a directory in which others put files by now, and says so", () => {
    sandbox.run('put_file s "$d/a/ours" text');
    writeFileSync(at("a/theirs"), "");
    const { status } = sandbox.run("ledger_undo s 2> $d/said; undo_ended");
    expect(status).toBe(0);
    expect(existsSync(at("a/ours"))).toBe(false);
    expect(readFileSync(at("said"), "utf8")).toContain(`warning: ${at("a")} stays`);
  });

  it("records a tree only when it was not there, and removes it with all that came into it", () => {
    mkdirSync(at("there"));
    sandbox.run('ledger_trees s "$d/there" "$d/new"; mkdir -p "$d/new/x"; touch "$d/new/x/y" "$d/there/z"; ledger_undo s');
    expect(existsSync(at("new"))).toBe(false);
    expect(existsSync(at("there/z"))).toBe(true);
  });

  it("goes on after what cannot be undone, keeps that alone, and fails at the end", () => {
    writeFileSync(at("first"), "1");
    writeFileSync(at("second"), "2");
    sandbox.run('put_file s "$d/first" x; put_file s "$d/second" x');
    sandbox.run('rm -rf "$d"/state/backup/s/*second');
    const { status, stderr } = sandbox.run("ledger_undo s; undo_ended");
    expect(status).toBe(1);
    expect(stderr).toContain(`warning: ${at("second")} stays as it is`);
    expect(stderr).toContain("!!! 1 changes could not be undone");
    expect(readFileSync(at("first"), "utf8")).toBe("1");
    expect(ledger("s")).toEqual([expect.stringContaining("second")]);
  });

  it("survives a line that a power cut tore", () => {
    sandbox.run('put_file s "$d/x" x');
    writeFileSync(at("state/ledger/s"), readFileSync(at("state/ledger/s"), "utf8") + "modu");
    expect(sandbox.run("ledger_undo s; undo_ended").status).toBe(0);
    expect(existsSync(at("x"))).toBe(false);
  });

  it("knows in which order stages first changed something", () => {
    sandbox.run('ledger b tree /nowhere/b; ledger a tree /nowhere/a; ledger b tree /nowhere/c; ledger c tree /nowhere/d; ledger_undo a');
    expect(readFileSync(at("state/order"), "utf8")).toBe("b\nc\n");
  });

  it("keeps any value, also an empty one, one with tabs, lines and backslashes", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom("a", " ", "\t", "\n", "\\", "t", "'", "%", "c") }), { minLength: 1, maxLength: 3 }), (fields) => {
        using box = new Sandbox();
        const words = fields.map((field) => `'${field.replaceAll("'", `'\\''`)}'`).join(" ");
        const { stdout } = box.run(
          `undo_version() { printf '<%s>' "\${@:1:${fields.length}}"; }\nledger s version ${words}\nledger s version ${words}\nledger_undo s 2>/dev/null`,
        );
        expect(stdout).toBe(fields.map((field) => `<${field}>`).join(""));
      }),
      { numRuns: 20 },
    );
  });
});

describe("a block in a file of others", () => {
  const put = (lines: string) => sandbox.run(`put_block s "$d/hosts" $'${lines}'`);

  it.each(["127.0.0.1 localhost\n", "127.0.0.1 localhost", "", "\n\n# end\n\n"])("comes and goes without a trace: %j", (before) => {
    writeFileSync(at("hosts"), before, { mode: 0o600 });
    put("10.0.0.11 cp1\\n");
    put("10.0.0.11 cp1\\n10.0.0.21 w1\\n");
    const text = readFileSync(at("hosts"), "utf8");
    expect(text.match(/BEGIN/g)).toHaveLength(1);
    expect(text).toContain("\n10.0.0.11 cp1\n10.0.0.21 w1\n# END pulumi-kubeadm\n");
    sandbox.run("ledger_undo s");
    expect(readFileSync(at("hosts"), "utf8")).toBe(before);
    expect(statSync(at("hosts")).mode & 0o777).toBe(0o600);
  });

  it("leaves what others wrote around it since", () => {
    writeFileSync(at("hosts"), "1.1.1.1 a\n");
    put("10.0.0.11 cp1\\n");
    writeFileSync(at("hosts"), `0.0.0.0 first\n${readFileSync(at("hosts"), "utf8")}2.2.2.2 b\n`);
    sandbox.run("ledger_undo s");
    expect(readFileSync(at("hosts"), "utf8")).toBe("0.0.0.0 first\n1.1.1.1 a\n2.2.2.2 b\n");
  });

  it("of which somebody took the end keeps its lines rather than lose others'", () => {
    writeFileSync(at("hosts"), "1.1.1.1 a\n# BEGIN pulumi-kubeadm\n10.0.0.11 cp1\n2.2.2.2 b\n");
    sandbox.run('undo_block "$d/hosts" whole');
    expect(readFileSync(at("hosts"), "utf8")).toBe("1.1.1.1 a\n10.0.0.11 cp1\n2.2.2.2 b\n");
  });
});

describe("swap lines of fstab", () => {
  const fstab = "# <file system>\nUUID=1 / ext4 defaults 0 1\n/swap.img\tnone\tswap\tsw\t0\t0\n#/old none swap sw 0 0\n/swap none swap sw";

  it("become comments and come back to the last octet", () => {
    writeFileSync(at("fstab"), fstab.replaceAll("/swap", `# pulumi-kubeadm, no swap: /swap`));
    sandbox.run('systemctl() { :; }; undo_swap_lines "$d/fstab"');
    expect(readFileSync(at("fstab"), "utf8")).toBe(fstab);
  });
});

describe("a repository's key", () => {
  const fixtures = join(import.meta.dirname, "fixtures");
  const fingerprints = (file: string) => sandbox.run(`cp ${join(fixtures, file)} $d/key; key_fingerprints $d/key`);
  const rsa = "69A64D1047730E9DDECB47D448B103A51D8E2313";
  const ed25519 = "EC964C5B71A1B58245FEB6F510B9C86CBB69F11B";

  it("is known by its fingerprint without gpg", () => {
    expect(fingerprints("rsa.asc").stdout).toBe(`${rsa}\n`);
    expect(fingerprints("ed25519.asc").stdout).toBe(`${ed25519}\n`);
  });

  it("must be the pinned one, and no other key may lie beside it", () => {
    const check = (file: string, fingerprint: string) => sandbox.run(`cp ${join(fixtures, file)} $d/key; check_key kubernetes $d/key ${fingerprint}`);
    expect(check("rsa.asc", rsa).status).toBe(0);
    expect(check("rsa.asc", rsa.toLowerCase()).status).toBe(0);
    expect(check("ed25519.asc", rsa).stderr).toContain(`!!! the key of the kubernetes repository is ${ed25519}, wanted ${rsa}`);
    expect(check("two-keys.asc", rsa)).toMatchObject({ status: 1, stderr: expect.stringContaining(`${rsa} and ${ed25519}, wanted ${rsa}`) });
  });

  it("that is none is refused", () => {
    writeFileSync(at("page"), "<html>302 Found</html>\n");
    expect(sandbox.run('check_key kubernetes "$d/page" ""').stderr).toContain("is no armored OpenPGP public key");
  });

  it("is not fetched over plain http when nothing tells which it must be", () => {
    const { status, stderr } = sandbox.run('fetch_key kubernetes http://mirror.example.com/Release.key "" "$d/key"');
    expect(status).toBe(1);
    expect(stderr).toContain(">>> set packages.kubernetes.keyFingerprint or packages.kubernetes.key, or use an https address");
  });
});

describe("telling", () => {
  it("says what was waited for in vain, and that to try again is the next step", () => {
    const { status, stderr } = sandbox.run('wait_until 0 "the moon" false || fail_in_vain');
    expect(status).toBe(1);
    expect(stderr).toBe("==> waiting for the moon\n!!! waited 0 s in vain for the moon\n>>> put right what the lines above name, and run 'pulumi up' again\n");
  });

  it("does not take a wait in vain that was gone on without for the cause of a later failure", () => {
    const { stderr } = sandbox.run('wait_until 0 "the moon" false || true; cat /nowhere');
    expect(stderr).toContain("!!! `cat /nowhere` ended with exit status 1\n");
    expect(stderr).not.toContain("in vain");
  });

  it("names the command that ended a script without a word", () => {
    expect(sandbox.run("false || cat /nowhere").stderr).toContain("!!! `cat /nowhere` ended with exit status 1");
  });

  it("masks bootstrap tokens that kubeadm prints, and makes its phases progress", () => {
    const { stdout } = sandbox.run("kubeadm_progress 'kubeadm init' printf '[certs] a\\n[certs] b\\n[etcd] c\\n  --token abcdef.0123456789abcdef \\\\\\n' 2>&1");
    expect(stdout.split("\n")).toEqual([
      "==> kubeadm init: certs",
      "[certs] a",
      "[certs] b",
      "==> kubeadm init: etcd",
      "[etcd] c",
      "  --token [token] \\",
      "",
    ]);
  });

  it("notes in which phase kubeadm failed and why, and forgets that of an earlier run", () => {
    const note = 'kubeadm_failure=$d/failure';
    const run = (text: string) => sandbox.run(`${note}; kubeadm_progress join bash -c 'echo "${text}" >&2; exit 1' || true; cat $d/failure`);
    expect(run("error: error execution phase etcd-join: error creating local etcd static pod manifest file: context deadline exceeded").stdout).toBe("etcd-join\nerror creating local etcd static pod manifest file: context deadline exceeded\n");
    expect(run("error execution phase control-plane-join/etcd: etcdserver: leader changed").stdout).toBe("control-plane-join/etcd\netcdserver: leader changed\n");
    expect(run("[etcd] Waiting").status).not.toBe(0);
  });

  it("hands on how kubeadm ended", () => expect(sandbox.run("kubeadm_progress 'kubeadm join' bash -c 'exit 7'").status).toBe(7));

  it("writes any text as JSON", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", '"', "\\", "\n", "\t", "\r", "é", "\u0007", "/", "&") }), (text) => {
        using box = new Sandbox();
        expect(JSON.parse(box.run(`json_string '${text}'`).stdout)).toBe(text.replaceAll("\u0007", ""));
      }),
      { numRuns: 20 },
    );
  });
});

describe("what apt says", () => {
  const explain = (output: string) => sandbox.run(`apt-cache() { printf '   kubeadm | 1.37.1-1.1 | http://m Packages\\n'; }; apt_output=$'${output.replaceAll("'", "\\'")}'; explain_apt "kubeadm could not be installed"`).stderr;

  it.each([
    ["E: Version '1.37.9-*' for 'kubeadm' was not found", "!!! no package repository of this machine has kubeadm 1.37.9-*; there is: 1.37.1-1.1"],
    ["E: Unable to locate package kubeadm", "!!! no package repository of this machine has kubeadm; there is: 1.37.1-1.1"],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", "!!! kubeadm could not be installed: the disk is full"],
    ["W: GPG error: http://m InRelease: NO_PUBKEY 234654DA9A296436", "!!! kubeadm could not be installed: a repository's signature does not come from the key that it was given"],
    ["E: Failed to fetch http://m/x.deb  Could not connect to m:80", "!!! kubeadm could not be installed: a package repository cannot be reached"],
    ["E: Something new", "!!! kubeadm could not be installed\n!!! E: Something new"],
  ])("%s", (output, told) => expect(explain(output)).toContain(told));
});

describe("packages", () => {
  /** A machine with one package, and an apt that tells what it was asked for. */
  const machine = (installed: string, remembered?: string) => `
    dpkg-query() { [[ -z "${installed}" ]] || printf '%s\\n' "${installed}"; }
    apt-get() { printf 'apt-get %s\\n' "\${*: -1}" >&2; }
    apt-cache() { :; }
    dpkg() { :; }
    wait_until() { :; }
    package_lock_held() { return 1; }
    mkdir -p $state_dir/packages
    ${remembered ? `echo ${remembered} > $state_dir/packages/kubectl` : ":"}`;
  const drift = (installed: string, pattern: string, remembered?: string) =>
    sandbox.run(`${machine(installed, remembered)}\nread_packages kubectl; package_drift kubectl '${pattern}'; printf '%s\\n' "\${drifts[@]}"`).stdout.trim();
  const install = (installed: string, spec: string, remembered?: string) =>
    sandbox.run(`${machine(installed, remembered)}\nexec 2>&1; install_packages s '${spec}'`).stdout.match(/^apt-get .*/gm) ?? [];

  it.each([
    ["hi kubectl 1.37.1-1.1", "1.37.1-*", undefined, ""],
    ["hi kubectl 1.37.1-1.1", "1.37.1-*", "1.37.1-1.1", ""],
    ["hi kubectl 1.37.1-2.1", "1.37.1-*", "1.37.1-1.1", "kubectl is 1.37.1-2.1, wanted 1.37.1-1.1"],
    ["hi kubectl 1.37.0-1.1", "1.37.1-*", undefined, "kubectl is 1.37.0-1.1, wanted 1.37.1"],
    ["hi kubectl 1.37.1-1.1", "1.37.2-*", "1.37.1-1.1", "kubectl is 1.37.1-1.1, wanted 1.37.2"],
    ["ii kubectl 1.37.1-1.1", "1.37.1-*", undefined, "kubectl is not held at its version"],
    ["hi kubectl 1.9.1-1.1", "*", undefined, ""],
    ["rc kubectl 1.37.1-1.1", "1.37.1-*", undefined, "kubectl is not installed"],
    ["", "1.37.1-*", undefined, "kubectl is not installed"],
  ])("%j for %s, remembered %s: %j", (installed, pattern, remembered, told) => expect(drift(installed, pattern, remembered)).toBe(told));

  it.each([
    ["ii kubectl 1.37.1-1.1", "kubectl=1.37.1-*", undefined, []],
    ["hi kubectl 1.37.1-2.1", "kubectl=1.37.1-*", "1.37.1-1.1", ["apt-get kubectl=1.37.1-1.1"]],
    ["", "kubectl=1.37.1-*", undefined, ["apt-get kubectl=1.37.1-*"]],
    ["", "kubectl=*", undefined, ["apt-get kubectl"]],
  ])("%j for %s, remembered %s, asks apt for %j", (installed, spec, remembered, asked) =>
    expect([...new Set(install(installed, spec, remembered))]).toEqual(asked));
});

describe("resetting a node", () => {
  const saved = `# Generated by iptables-save
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:FLANNEL-POSTRTG - [0:0]
:KUBE-SERVICES - [0:0]
:cali-INPUT - [0:0]
:CILIUM_POST_nat - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A POSTROUTING -s 1.2.3.4/32 -m comment --comment "talks of KUBE-SERVICES" -j RETURN
-A FLANNEL-POSTRTG -s 10.244.0.0/16 -j RETURN
-A POSTROUTING -m comment --comment "cilium-feeder: CILIUM_POST_nat" -j CILIUM_POST_nat
-A KUBE-SERVICES -j KUBE-NODEPORTS
COMMIT
*filter
:INPUT ACCEPT [0:0]
:MINE - [0:0]
-A INPUT -j MINE
-A MINE -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;

  it("takes only the chains of Kubernetes, pod networks and CNI out of the packet filter, and the rules that lead to them", () => {
    writeFileSync(at("saved"), saved);
    sandbox.run(`
      iptables-legacy-save() { cat "$d/saved"; }
      iptables-legacy-restore() { printf '%s\\n' "$*" > "$d/arguments"; cat > "$d/restored"; }
      iptables-nft-save() { printf '*nat\\n:PREROUTING ACCEPT [0:0]\\nCOMMIT\\n'; }
      iptables-nft-restore() { touch "$d/needless"; }
      ip6tables-legacy-save() { :; }
      ip6tables-nft-save() { return 1; }
      nft() { if [[ $1 == list ]]; then printf 'table inet mine\\ntable ip kube-proxy\\ntable ip6 flannel-ipv6\\n'; else echo "$*" >> "$d/nft"; fi; }
      remove_packet_filter_rules`);
    expect(readFileSync(at("arguments"), "utf8")).toContain("--noflush");
    expect(readFileSync(at("restored"), "utf8").trim()).toBe(
      [
        "*nat",
        ":CILIUM_POST_nat - [0:0]",
        ":cali-INPUT - [0:0]",
        ":KUBE-SERVICES - [0:0]",
        ":FLANNEL-POSTRTG - [0:0]",
        '-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
        '-D POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
        '-D POSTROUTING -m comment --comment "cilium-feeder: CILIUM_POST_nat" -j CILIUM_POST_nat',
        "-X FLANNEL-POSTRTG",
        "-X KUBE-SERVICES",
        "-X cali-INPUT",
        "-X CILIUM_POST_nat",
        "COMMIT",
      ].join("\n"),
    );
    expect(existsSync(at("needless"))).toBe(false);
    expect(readFileSync(at("nft"), "utf8")).toBe("delete table ip kube-proxy\ndelete table ip6 flannel-ipv6\n");
  });

  it("clears every configuration of a pod network that came since the machine was taken, and leaves what was there", () => {
    writeFileSync(at("before"), "87-podman.conflist\n");
    const { stdout } = sandbox.run(`
      list() { local leftovers=(x); list_new_cni_files; printf '%s\\n' "\${leftovers[@]}"; }
      mkdir -p $d/net.d; touch $d/net.d/{10-calico.conflist,10-flannel.conflist,87-podman.conflist}
      cni_before=$d/before
      source <(declare -f list_new_cni_files | sed "s,/etc/cni/net.d,$d/net.d,")
      list`);
    expect(stdout.split("\n")).toEqual(["x", at("net.d/10-calico.conflist"), at("net.d/10-flannel.conflist"), ""]);
  });

  it("touches nothing on a machine that was no node", () => {
    const { stdout } = sandbox.run("node_has_traces() { false; }\nfor name in kubeadm systemctl rm ip crictl; do eval \"$name() { echo $name \\$*; }\"; done\nnode_reset");
    expect(stdout).toBe("rm -f /var/lib/pulumi-kubeadm/control-plane-begun /var/lib/pulumi-kubeadm/control-plane-ended /var/lib/pulumi-kubeadm/worker-begun\n");
  });
});

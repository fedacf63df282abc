import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readScript } from "../../../machine/render.ts";
import { Sandbox } from "../stages/shell.ts";

// Scripts that speak with the cluster, with a kubectl and an etcdctl that answer as told; the real ones are met in the lab.
let sandbox: Sandbox;

beforeEach(() => (sandbox = new Sandbox()));
afterEach(() => sandbox[Symbol.dispose]());

/** Runs a function of a script; what was said to the tools is in `$d/said`. */
const run = (file: string, tools: string, call: string) => sandbox.run(`exec 3>&1 2>&1\n${readScript(file)}\n${tools}\n${call}\ncat "$d/said" 2>/dev/null || true`);

describe("scripts/membership-lease.sh", () => {
  /** A cluster whose Lease is the three lines of $d/lease; writing fails in the words of $d/refusal, once. */
  const kubectl = `
    HOLDER=ours DURATION=60 OVER=\${OVER:-}
    kubectl() {
      [[ $* != *" get lease "* ]] || { cat "$d/lease" 2>/dev/null || true; return 0; }
      if [[ -e $d/refusal ]]; then cat "$d/refusal" >&2; rm "$d/refusal"; [[ ! -e $d/then ]] || mv "$d/then" "$d/lease"; return 1; fi
      printf '%s %s\\n' "$(printf '%s' "$*" | sed 's/.*-n kube-system //')" "$(cat)" >> "$d/said"
    }`;

  test("takes a Lease that nobody has", () => {
    const { status, stdout } = run("membership-lease.sh", kubectl, "stage_apply");
    expect(status, stdout).toBe(0);
    expect(JSON.parse(stdout.split("\n")[0]!)).toEqual({ holder: "ours", since: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/), version: "" });
    const written = JSON.parse(/^create -f - (.*)$/m.exec(stdout)![1]!);
    expect(written).toMatchObject({ kind: "Lease", metadata: { name: "pulumi-kubeadm-membership" }, spec: { holderIdentity: "ours", leaseDurationSeconds: 60 } });
  });

  test("renews its own, and says since when it has it", () => {
    const { stdout } = run("membership-lease.sh", `${kubectl}\nprintf '7\\nmorning\\nours' > "$d/lease"`, "stage_apply");
    expect(stdout).toContain('{"holder":"ours","since":"morning","version":"7"}');
    expect(JSON.parse(/^replace -f - (.*)$/m.exec(stdout)![1]!)).toMatchObject({ metadata: { resourceVersion: "7" }, spec: { acquireTime: "morning" } });
  });

  test("leaves somebody else's alone, unless it is told that very one", () => {
    const theirs = `${kubectl}\nprintf '7\\nmorning\\ntheirs' > "$d/lease"`;
    const { stdout } = run("membership-lease.sh", theirs, "stage_apply; OVER=6 stage_apply");
    expect(stdout.split("\n").filter(Boolean)).toEqual(Array(2).fill('{"holder":"theirs","since":"morning","version":"7"}'));
    expect(run("membership-lease.sh", theirs, "OVER=7; stage_apply").stdout).toMatch(/"holder":"ours"[^]*replace -f -/);
  });

  test("looks again when somebody was faster", () => {
    const raced = `${kubectl}\necho 'Error from server (AlreadyExists): leases' > "$d/refusal"; printf '9\\nnoon\\ntheirs' > "$d/then"`;
    expect(run("membership-lease.sh", raced, "stage_apply").stdout).toContain('{"holder":"theirs","since":"noon","version":"9"}');
  });

  test("tells why it could not be written", () => {
    const refused = `${kubectl}\necho 'Error from server (Forbidden): no' > "$d/refusal"`;
    const { status, stdout } = run("membership-lease.sh", refused, "stage_apply");
    expect(status).not.toBe(0);
    expect(stdout).toContain("the Lease of membership changes could not be written: Error from server (Forbidden): no");
  });

  test("gives back its own, as it was read, and nobody else's", () => {
    expect(run("membership-lease.sh", `${kubectl}\nprintf '7\\nmorning\\nours' > "$d/lease"`, "stage_remove").stdout).toMatch(/^delete --raw .*\/leases\/pulumi-kubeadm-membership -f - .*"resourceVersion":"7"/m);
    expect(run("membership-lease.sh", `rm -f "$d/said"\n${kubectl}\nprintf '7\\nmorning\\ntheirs' > "$d/lease"`, "stage_remove").stdout).toBe("");
  });
});

describe("scripts/drain.sh", () => {
  const kubectl = (drain: number) => `
    NODE_NAME=cp3 DRAIN_SECONDS=180
    kubectl() {
      printf '%s\\n' "$*" >> "$d/said"
      [[ $* != *" drain "* ]] || return ${drain}
    }`;

  test("gives the pods their time", () => {
    expect(run("drain.sh", kubectl(0), "stage_apply").stdout).toMatch(/ drain cp3 .*--timeout=180s/);
  });

  test("goes on when it is over", () => {
    const { status, stdout } = run("drain.sh", kubectl(1), "stage_apply");
    expect(status, stdout).toBe(0);
    expect(stdout).toContain("cp3 did not drain in 180 s; it is removed all the same");
  });
});

describe("scripts/etcd-member.sh", () => {
  /** @param move exit code of move-leader */
  const etcdctl = (move: number, removes = true) => `
    seconds_to_remove=0 MEMBER_ID=c3 MEMBER_NAME=cp3 LEADER_TO=a1
    client_endpoints() { echo https://10.0.0.11:2379; }
    etcdctl_at() { printf '%s\\n' "\${*:2}" >> "$d/said"; return ${move}; }
    etcdctl() {
      [[ $* != *"member list"* ]] || { [[ -e $d/removed ]] || echo 'c3, started, cp3, https://10.0.0.13:2380, https://10.0.0.13:2379, false'; return 0; }
      printf '%s\\n' "$*" >> "$d/said"
      ${removes ? 'touch "$d/removed"' : ":"}
    }`;

  test("has another member lead before the leader is removed", () => {
    const { status, stdout } = run("etcd-member.sh", etcdctl(0), "stage_remove");
    expect(status, stdout).toBe(0);
    expect(stdout).toMatch(/move-leader a1\n[^]*member remove c3/);
  });

  test("removes it all the same when the leadership does not move", () => {
    const { status, stdout } = run("etcd-member.sh", etcdctl(1), "stage_remove");
    expect(status, stdout).toBe(0);
    expect(stdout).toContain("the leadership stays with cp3 until it has left");
    expect(stdout).toContain("member remove c3");
  });

  test("trusts the list alone", () => {
    const { status, stdout } = run("etcd-member.sh", etcdctl(0, false), "stage_remove");
    expect(status).not.toBe(0);
    expect(stdout).toContain("etcd still lists cp3 after its removal");
  });

  test("asks once more when an election ended its request", () => {
    const { status, stdout } = run("etcd-member.sh", etcdctl(0).replace("touch", 'if [[ ! -e $d/elected ]]; then touch "$d/elected"; return 1; fi; touch'), "stage_remove");
    expect(status, stdout).toBe(0);
    expect(stdout.match(/member remove c3/g)).toHaveLength(2);
  });

  test("has nothing to do when it is no member any more", () => {
    expect(run("etcd-member.sh", `${etcdctl(0)}\ntouch "$d/removed"`, "stage_remove").stdout).not.toContain("member remove");
  });
});

describe("scripts/control-plane.sh", () => {
  /** A tool that says what it was told, and that the second component does not answer. */
  const tool = (name: string) => `${name}() { echo "${name} $*" >> "$d/said"; [[ $* != *10257* ]]; }`;
  const asked = (tools: string) => run("control-plane.sh", `API_PORT=7443\n${tools}`, "control_plane_ready || echo $unready").stdout.split("\n").filter(Boolean);

  test("asks each component by curl, and trusts the cluster's CA for the apiserver alone", () => {
    expect(asked(tool("curl"))).toEqual([
      "the controller manager",
      expect.stringMatching(/^curl --disable .*--cacert \/etc\/kubernetes\/pki\/ca\.crt https:\/\/127\.0\.0\.1:7443\/readyz$/),
      expect.stringMatching(/^curl --disable .*--insecure https:\/\/127\.0\.0\.1:10257\/healthz$/),
    ]);
  });

  test("asks by kubectl on a machine that has no curl", () => {
    const withoutCurl = `command() { [[ $2 != curl ]] && builtin command "$@"; }\n${tool("kubectl")}`;
    expect(asked(withoutCurl)).toEqual([
      "the controller manager",
      expect.stringMatching(/^kubectl .*--server https:\/\/127\.0\.0\.1:7443 --request-timeout=5s get --raw \/readyz$/),
      expect.stringMatching(/^kubectl .*--server https:\/\/127\.0\.0\.1:10257 --insecure-skip-tls-verify --request-timeout=5s get --raw \/healthz$/),
    ]);
  });
});

describe("scripts/join-token.sh", () => {
  /** A kubeadm whose first answer to each question, or each answer to one, is that of a busy apiserver. */
  const kubeadm = (never = "") => `
    JOINER=cp2 UPLOAD_CONFIG=documents CERTIFICATE_KEY=c0ffee
    json_string() { printf '"%s"' "$1"; }
    timeout() { shift; "$@"; }
    kubeadm() {
      [[ -e $d/$1 && $1 != "${never}" ]] || { touch "$d/$1"; echo "error: context deadline exceeded with c0ffee" >&2; return 1; }
      echo "$*" >> "$d/said"
      [[ $1 == init ]] || echo abcdef.0123456789abcdef
    }`;

  test("asks an apiserver that is busy once more", () => {
    const { stdout } = run("join-token.sh", kubeadm(), "stage_apply");
    expect(stdout).toContain('{"token":"abcdef.0123456789abcdef"');
    expect(stdout).toContain("init phase upload-certs");
    expect(stdout).toContain("token create --ttl 15m");
  });

  test.each([
    ["certificates", "init", "the cluster's certificates could not be uploaded for the join:\n!!! error: context deadline exceeded with ***"],
    ["token", "--kubeconfig", "no token could be made for the join:\n!!! error: context deadline exceeded with c0ffee"],
  ])("tells why there is no %s", (_, command, words) => {
    const { status, stdout } = run("join-token.sh", `${kubeadm(command)}\nseconds_to_answer=0`, "stage_apply");
    expect(status).toBe(1);
    expect(stdout).toContain(`!!! ${words}`);
  });
});

describe("scripts/flannel.sh", () => {
  test("waits for all control planes in one question", () => {
    const kubectl = 'NODES="cp1 cp2"\nkubectl() { echo "$*" > "$d/asked"; [[ $* == *"wait node cp1 cp2 --for=condition=Ready"* ]]; }';
    expect(run("flannel.sh", kubectl, "if nodes_ready; then echo yes; else cat $d/asked; fi").stdout.trim()).toBe("yes");
  });
});

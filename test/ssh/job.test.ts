import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { closeAllConnections } from "../../machine/connection.ts";
import { MachineError, PassingError, UnreachableError } from "../../machine/errors.ts";
import { runJob, type JobRequest } from "../../machine/job.ts";
import { readLibrary } from "../../machine/render.ts";
import type { SshTarget } from "../../machine/target.ts";
import { cleanUp, failureOf, folder, machine, recorder, targetOf, until, type Recorder } from "./helpers.ts";
import type { FakeMachine } from "./server.ts";

/** A request that runs `script` as the stage `kernel`. */
function job(target: SshTarget, script: string, changes: Partial<JobRequest> = {}): JobRequest & { reporter: Recorder } {
  const base = { target, stage: "kernel", verb: "apply" as const, script, environment: {}, deadlineSeconds: 60, holder: "ann@laptop pid 1, stack dev" };
  return { ...base, reporter: recorder(), ...changes } as JobRequest & { reporter: Recorder };
}

const startsOn = (fake: FakeMachine) => fake.read("fake-systemd/starts").trim().split("\n").length;
const jobFile = (fake: FakeMachine, name: string) => join(fake.root, "run/pulumi-kubeadm/job", name);

/** Shell that waits for a file. */
const waitFor = (flag: string) => `until [[ -e ${flag} ]]; do sleep 0.05; done\n`;
const flagIn = () => join(folder(), "flag");
const set = (flag: string) => writeFileSync(flag, "");
/** The end of the unit, with what systemd does after it. */
const ended = (fake: FakeMachine) => until(() => !existsSync(join(fake.root, "fake-systemd/pulumi-kubeadm.service")), "the unit's end");

test("a job is given its verb and parameters, and gives its result back", async () => {
  const fake = await machine();
  const environment = { TEXT: "it's \"quoted\"\n$HOME `x` \\ 한글", NODE_NAME: "cp1" };
  const script = `printf '{"verb":"%s","node":"%s",\n"text":"%s"}' "$1" "$NODE_NAME" "$(printf %s "$TEXT" | base64 -w0)" > "$JOB_RESULT"`;
  const result = (await runJob(job(targetOf(fake), script, { environment, verb: "remove" }))) as { text: string };
  expect(result).toEqual({ verb: "remove", node: "cp1", text: Buffer.from(environment.TEXT).toString("base64") });
});

test("a job that writes no result gives an empty document, and one whose result is no JSON fails", async () => {
  const target = targetOf(await machine());
  expect(await runJob(job(target, "true"))).toEqual({});
  expect((await failureOf(runJob(job(target, `echo no > "$JOB_RESULT"`)))).message).toContain("its result is no JSON document");
});

test("a job has no login environment but its own", async () => {
  const target = targetOf(await machine());
  const result = await runJob(job(target, `printf '{"env":"%s"}' "$(env -u JOB_RESULT | sort | tr '\\n' ' ')" > "$JOB_RESULT"`));
  const variables = (result as { env: string }).env.split(" ").filter((line) => !/^(SHLVL|PWD|_|NOT_A_LOGIN)=|^$/.test(line));
  expect(variables).toEqual([
    "DEBIAN_FRONTEND=noninteractive",
    "HOME=/root",
    "LANG=C.UTF-8",
    "NEEDRESTART_SUSPEND=1",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ]);
});

test("secrets are in no command line and no log, and in no file once the job runs", async () => {
  const fake = await machine();
  const script = `
    echo "my token is $JOIN_TOKEN"
    seen=no
    [[ $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ') == *"$JOIN_TOKEN"* ]] && seen=yes
    grep -qrF "$JOIN_TOKEN" "\${JOB_RESULT%/*}" --exclude=output && seen=in-a-file
    printf '{"seen":"%s"}' "$seen" > "$JOB_RESULT"
    : > "\${JOB_RESULT%/*}/kubeadm.yaml"`;
  const environment = { JOIN_TOKEN: "abcdef.0123456789abcdef" };
  const result = (await runJob(job(targetOf(fake), script, { environment }))) as { seen: string };
  expect(result.seen).toBe("no");
  await ended(fake);
  expect(existsSync(jobFile(fake, "parameters"))).toBe(false);
  expect(existsSync(jobFile(fake, "kubeadm.yaml"))).toBe(false);
  expect(fake.commands.join()).not.toContain(environment.JOIN_TOKEN);
  expect(statSync(join(fake.root, "run/pulumi-kubeadm/job")).mode & 0o777).toBe(0o700);
  expect(statSync(jobFile(fake, "script")).mode & 0o777).toBe(0o600);
});

test("a failure tells cause, evidence, log and next step, with secrets masked", async () => {
  const fake = await machine();
  const script = `
    echo "==> installing kubelet"
    for i in $(seq 30); do echo "line $i"; done
    printf 'half a line, then \\033[31mred\\033[0m with %s\\n' "$JOIN_TOKEN" >&2
    echo "key: $CERTIFICATE_KEY"
    echo "!!! kubelet is not in the repository"
    echo "!!! it has 1.36.2 only"
    echo ">>> set kubernetesVersion to 1.36.2"
    exit 7`;
  const request = job(targetOf(fake), script, { environment: { JOIN_TOKEN: "abcdef.0123", CERTIFICATE_KEY: "c0ffee\nbabe00" } });
  const error = (await failureOf(runJob(request))) as MachineError;
  expect(error).toBeInstanceOf(MachineError);
  const lines = error.message.split("\n");
  expect(lines.slice(0, 3)).toEqual(["cp1: kernel: kubelet is not in the repository", "it has 1.36.2 only", "line 9"]);
  expect(lines.slice(-5)).toEqual([
    "half a line, then red with ***",
    "key: ***",
    "babe00".replace("babe00", "***"),
    "Log on cp1: /var/log/pulumi-kubeadm/kernel.log",
    "Next: set kubernetesVersion to 1.36.2",
  ]);
  expect(error.evidence!.split("\n")).toHaveLength(25);
});

test("a script that ends with 75 failed for what may have passed a moment later", async () => {
  const target = targetOf(await machine());
  const script = `${readLibrary()}\nstage_apply() { fail_for_now "etcd elects" "ask again"; }\nstage_main "$@"\n`;
  const error = await failureOf(runJob(job(target, script)));
  expect(error).toBeInstanceOf(PassingError);
  expect(error.message).toContain("cp1: kernel: etcd elects\n");
  expect(error.message).toContain("Next: ask again");
});

test("a job that fails without a word tells its exit status and what it did last", async () => {
  const target = targetOf(await machine());
  const error = await failureOf(runJob(job(target, "echo '==> doing this'; printf 'no line break'; exit 9")));
  expect(error.message).toContain("cp1: kernel: it ended with exit status 9 during: doing this\nno line break\nLog on cp1: ");
  expect(error.message).toMatch(/Next: .*run `pulumi up` again/);
});

test("the words of scripts/lib/ are those that the job reads", async () => {
  const target = targetOf(await machine());
  const stage = `stage_apply() { progress "at it"; [[ $GO == yes ]] || fail "no go" "set GO"; result '{"gone":true}'; }`;
  const script = `${readLibrary()}\n${stage}\nstage_main "$@"\n`;
  const failing = job(target, script, { environment: { GO: "no" } });
  expect((await failureOf(runJob(failing))).message).toBe("cp1: kernel: no go\nLog on cp1: /var/log/pulumi-kubeadm/kernel.log\nNext: set GO");
  expect(failing.reporter.progressed).toEqual(["at it"]);
  expect(await runJob(job(target, script, { environment: { GO: "yes" } }))).toEqual({ gone: true });
});

test("the log stays on the machine for root only, one part for each run", async () => {
  const fake = await machine();
  const target = targetOf(fake);
  await runJob(job(target, "echo first; :"));
  await failureOf(runJob(job(target, "echo second; exit 3")));
  await ended(fake);
  const path = "var/log/pulumi-kubeadm/kernel.log";
  expect(fake.read(path)).toMatch(
    /^--- \S+ kernel apply for ann@laptop pid 1, stack dev: exit 0 after \d+\.\d s\nfirst\n--- \S+ kernel apply for ann@laptop pid 1, stack dev: exit 3 after \d+\.\d s\nsecond\n$/,
  );
  expect(statSync(join(fake.root, path)).mode & 0o777).toBe(0o600);
});

test("a job that removes its log, since it gives the machine back, does not get it again", async () => {
  const fake = await machine();
  await runJob(job(targetOf(fake), `rm -rf ${fake.root}/var/log/pulumi-kubeadm`));
  await ended(fake);
  expect(existsSync(join(fake.root, "var/log/pulumi-kubeadm"))).toBe(false);
});

test("a log that cannot be written does not keep the job from running", async () => {
  const fake = await machine();
  writeFileSync(join(fake.root, "var/log/pulumi-kubeadm"), "in the way");
  expect(await runJob(job(targetOf(fake), `echo '{"done":true}' > "$JOB_RESULT"`))).toEqual({ done: true });
});

test("progress is told at once, and while nothing new comes with the seconds since", async () => {
  const flag = flagIn();
  const request = job(targetOf(await machine()), `echo "==> waiting for the apiserver"\n${waitFor(flag)}echo "==> done"`);
  const { progressed } = request.reporter;
  const running = runJob(request);
  await until(() => progressed.includes("waiting for the apiserver, 2 s"), "the elapsed time");
  set(flag);
  await running;
  expect(progressed).toEqual(["waiting for the apiserver", "waiting for the apiserver, 2 s", "done"]);
});

test("long output arrives whole", async () => {
  const request = job(targetOf(await machine()), `for i in $(seq 5000); do echo "==> $i"; done`);
  await runJob(request);
  expect(request.reporter.progressed).toEqual(Array.from({ length: 5000 }, (_, i) => String(i + 1)));
});

test("two clients at once: one job starts, the other waits and is told for whom, then runs", async () => {
  const fake = await machine();
  const flag = flagIn();
  const trace = join(folder(), "trace");
  const first = job(targetOf(fake), `echo "first in" >> ${trace}; echo "==> in"\n${waitFor(flag)}echo "first out" >> ${trace}`);
  const second = job(targetOf(fake), `echo "second in" >> ${trace}`, { stage: "names", holder: "bob@desk pid 2, stack dev" });
  const one = runJob(first);
  await until(() => first.reporter.progressed.includes("in"), "the first job");
  const two = runJob(second);
  await until(() => second.reporter.progressed.length > 0, "the second to wait");
  expect(second.reporter.progressed[0]).toMatch(/^waiting for kernel \(apply\) of ann@laptop pid 1, stack dev, since \d{4}-/);
  set(flag);
  await Promise.all([one, two]);
  expect(startsOn(fake)).toBe(2);
  expect(readFileSync(trace, "utf8")).toBe("first in\nfirst out\nsecond in\n");
});

test("many clients at once: never two jobs at a time, and everybody gets the result of the own one", async () => {
  const fake = await machine();
  const lock = join(folder(), "busy");
  const script = (i: number) => `mkdir ${lock} || exit 1; sleep 0.1; rmdir ${lock}; echo '{"i":${i}}' > "$JOB_RESULT"`;
  const results = await Promise.all([0, 1, 2, 3].map((i) => runJob(job(targetOf(fake), script(i)))));
  expect(results).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }, { i: 3 }]);
  expect(startsOn(fake)).toBe(4);
});

test("the same job asked for twice at once runs once, and both get its result", async () => {
  const fake = await machine();
  const request = job(targetOf(fake), `sleep 1; echo '{"done":true}' > "$JOB_RESULT"`);
  expect(await Promise.all([runJob(request), runJob(request)])).toEqual([{ done: true }, { done: true }]);
  expect(startsOn(fake)).toBe(1);
});

test("a job that ended is done anew when it is asked for again", async () => {
  const fake = await machine();
  const request = job(targetOf(fake), "true");
  await runJob(request);
  await runJob(request);
  expect(startsOn(fake)).toBe(2);
});

test("a connection that breaks in the middle is made anew, and no line is lost or told twice", async () => {
  const fake = await machine();
  const flags = [flagIn(), flagIn()];
  const script = `echo "==> one"; echo 1\n${waitFor(flags[0]!)}echo 2; echo "==> two"\n${waitFor(flags[1]!)}echo 3; echo "==> three"; exit 5`;
  const request = job(targetOf(fake, { connectTimeoutSeconds: 10 }), script);
  const { progressed } = request.reporter;
  const failing = failureOf(runJob(request));
  await until(() => progressed.includes("one"), "the first line");
  await fake.down();
  set(flags[0]!);
  await until(() => progressed.some((text) => text.startsWith("the connection to cp1 broke")), "the break");
  await fake.up();
  await until(() => progressed.includes("two"), "the second line");
  fake.cut();
  set(flags[1]!);
  expect((await failing).message).toContain("it ended with exit status 5 during: three\n1\n2\n3\nLog on");
  expect(startsOn(fake)).toBe(1);
  expect(fake.logins).toBe(3);
});

test("a killed client does not end the job: the next one takes it up and gets its result", async () => {
  const fake = await machine();
  const flag = flagIn();
  const request = job(targetOf(fake), `echo "==> in the middle"\n${waitFor(flag)}echo '{"done":true}' > "$JOB_RESULT"`);
  const client = spawn(process.execPath, [fileURLToPath(new URL("job-client.ts", import.meta.url)), JSON.stringify(request)]);
  cleanUp(() => client.kill("SIGKILL"));
  let printed = "";
  client.stdout.on("data", (chunk) => (printed += chunk));
  client.stderr.on("data", (chunk) => (printed += chunk));
  await until(() => printed.includes("in the middle"), "the client's job");
  client.kill("SIGKILL");
  const running = runJob(request);
  await until(() => request.reporter.progressed.includes("in the middle"), "the job to be taken up");
  expect(request.reporter.progressed).toContain("taking up kernel, which runs already");
  set(flag);
  expect(await running).toEqual({ done: true });
  expect(startsOn(fake)).toBe(1);
});

test("a machine that goes away in the middle: the message says that the job goes on, and the next run follows it", async () => {
  const fake = await machine();
  const flag = flagIn();
  const request = job(targetOf(fake), `echo "==> kubeadm init"\n${waitFor(flag)}echo '{"done":true}' > "$JOB_RESULT"`);
  const failing = failureOf(runJob(request));
  await until(() => request.reporter.progressed.includes("kubeadm init"), "the job");
  await fake.down();
  const error = await failing;
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toMatch(/cp1: kernel: the connection broke during: kubeadm init\. .* refuses the connection .*The job goes on there without this computer/);
  expect(error.message).toContain("then run `pulumi up`: it follows the job to its end");
  closeAllConnections();
  await fake.up();
  const next = { ...request, reporter: recorder() };
  const again = runJob(next);
  await until(() => next.reporter.progressed.includes("kubeadm init"), "the job to be taken up");
  set(flag);
  expect(await again).toEqual({ done: true });
  expect(startsOn(fake)).toBe(1);
});

test("a machine that restarts during a job is told as that", async () => {
  const fake = await machine();
  const request = job(targetOf(fake), `echo "==> kubeadm init"; sleep 600`);
  const failing = failureOf(runJob(request));
  await until(() => request.reporter.progressed.includes("kubeadm init"), "the job");
  fake.reboot();
  expect((await failing).message).toMatch(/cp1: kernel: the machine restarted during: kubeadm init\n[^]*Next: run `pulumi up` again/);
});

test("a job that ended while the connection was away, with another one after it, is done anew", async () => {
  const fake = await machine();
  const flag = flagIn();
  const target = targetOf(fake, { connectTimeoutSeconds: 15 });
  const request = job(target, `echo "==> in"\n${waitFor(flag)}echo '{"mine":true}' > "$JOB_RESULT"`);
  const running = runJob(request);
  await until(() => request.reporter.progressed.includes("in"), "the job");
  await fake.down();
  set(flag);
  await ended(fake);
  // Somebody else was there: the directory is theirs now.
  writeFileSync(jobFile(fake, "mark"), "another\n");
  await fake.up();
  expect(await running).toEqual({ mine: true });
  expect(startsOn(fake)).toBe(2);
});

test("a job that does not end in its time is ended, and the failure tells what it did last", async () => {
  const fake = await machine();
  const error = await failureOf(runJob(job(targetOf(fake), `echo "==> waiting for the apiserver"; echo hint; sleep 600`, { deadlineSeconds: 1 })));
  expect(error.message).toContain("cp1: kernel: it did not end within 1 s; the last that it did: waiting for the apiserver\nhint\n");
  await ended(fake);
  expect(existsSync(jobFile(fake, "parameters"))).toBe(false);
});

test("a job whose process is killed is told as that", async () => {
  const target = targetOf(await machine());
  const error = await failureOf(runJob(job(target, `echo "==> copying"; kill -KILL $$`)));
  expect(error.message).toContain("it was ended from outside (signal) during: copying");
});

test("a systemd that starts nothing is told with its own words, and no parameters are left", async () => {
  const fake = await machine();
  await runJob(job(targetOf(fake), "true"));
  await ended(fake);
  writeFileSync(join(fake.root, "fake-systemd/broken"), "Failed to connect to bus: No such file or directory\n");
  const error = await failureOf(runJob(job(targetOf(fake), "true", { environment: { JOIN_TOKEN: "abcdef" } })));
  expect(error.message).toContain("cp1: kernel: the job could not be started: systemd-run: Failed to connect to bus");
  expect(existsSync(jobFile(fake, "parameters"))).toBe(false);
});

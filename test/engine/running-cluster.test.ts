import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

// One cluster that every test leaves as it found it. The login takes every secret that there can be: a passphrase and sudo's password.
const passphrase = "passphrase of the ssh key";
const password = "password of sudo";

let site: Site;
let stack: Stack;
let cp1: ScriptedMachine;
let w1: ScriptedMachine;
let config: ReturnType<typeof configOf>;

beforeAll(async () => {
  site = new Site({ passphrase, password });
  cp1 = await site.machine("cp1", "10.0.0.11");
  w1 = await site.machine("w1", "10.0.0.21");
  stack = new Stack(site, { TEST_PASSPHRASE: passphrase });
  config = configOf(site, [cp1, w1]);
  Object.assign(config.ssh, { passphraseEnv: "TEST_PASSPHRASE" });
  await stack.open(config);
  await stack.up();
});

beforeEach(() => site.journal.clear());

// What a test has changed in the settings does not reach the next one.
afterEach(() => stack.configure(config));

afterAll(async () => {
  stack.close();
  await site.close();
});

describe("somebody's change on a machine", () => {
  test("is shown by refresh and preview as a sentence, and the next up repairs that stage alone", async () => {
    w1.drift.set("kernel", ["net.ipv4.ip_forward is 0, wanted 1"]);
    expect(await stack.succeed("refresh", "--yes", "--skip-preview")).toMatch(/w1-kernel.*\[diff: ~drift\]/);
    const preview = await stack.succeed("preview", "--diff");
    expect(preview).toContain(`"net.ipv4.ip_forward is 0, wanted 1"`);
    expect(preview).toMatch(/~ 1 to update/);
    await stack.up();
    expect(site.journal.all).toEqual(["w1: kernel apply"]);
    await stack.succeed("preview", "--refresh", "--expect-no-changes");
  });
});

describe("secrets", () => {
  test("the kubeconfig is an encrypted output, dials an address, and checks the certificate against the API's name", async () => {
    expect(await stack.succeed("stack", "output")).toMatch(/kubeconfig\s+\[secret\]/);
    // Straight from the engine: what is printed here is the secret itself.
    const { all } = await stack.start(["stack", "output", "kubeconfig", "--show-secrets"]);
    const kubeconfig = parse(all);
    expect(kubeconfig.clusters[0].cluster.server).toBe("https://127.0.0.1:6443");
    expect(kubeconfig.clusters[0].cluster["tls-server-name"]).toBe("kubernetes-api.internal");
    expect(kubeconfig.users[0].user["client-key-data"]).toBe(cp1.cluster!.adminKey);
  });

  test("no key, password or token stands in the state, in anything printed or on a command line", () => {
    const keyLines = site.key.private.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
    const secrets = [...keyLines, passphrase, password, cp1.cluster!.adminKey, ...cp1.cluster!.everyToken];
    const places = { state: stack.stateText, output: stack.printed, commands: [cp1, w1].flatMap(({ shell }) => shell.commandLines).join("\n") };
    expect(cp1.cluster!.everyToken).not.toEqual([]);
    expect(places.state).toContain("TEST_SUDO_PASSWORD");
    for (const [place, text] of Object.entries(places)) {
      expect(secrets.filter((secret) => text.includes(secret)), place).toEqual([]);
    }
    // Wrapped in another encoding it would be as readable.
    expect(places.state).not.toContain(Buffer.from(cp1.cluster!.adminKey).toString("base64"));
  });
});

describe("machines at new addresses with the same host keys", () => {
  test("are the same machines: nothing is done to them again", async () => {
    const logins = [cp1, w1].map(({ shell }) => shell.hostKey);
    for (const { shell } of [cp1, w1]) {
      await shell.stop();
      await shell.start(0);
    }
    const { ssh: _, ...moved } = configOf(site, [cp1, w1]);
    config = { ...config, ...moved };
    stack.configure(config);
    await stack.up();
    expect(site.journal.all.filter((done) => !/: node \S+ apply$/.test(done))).toEqual([]);
    expect([cp1, w1].map(({ shell }) => shell.hostKey)).toEqual(logins);
    for (const machine of [cp1, w1]) {
      expect(stack.state.get(`${machine.name}-names`)?.outputs?.target.port).toBe(machine.shell.port);
    }
    await stack.succeed("preview", "--expect-no-changes");
  });
});

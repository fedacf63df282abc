import { Command } from "commander";
import { Listr, PRESET_TIMER } from "listr2";
import * as lab from "./api.ts";
import { machineNamed, machines, users } from "./machines.ts";
import { demoEnvironment, saveKubeconfig } from "./demo-stack.ts";
import { sshArguments } from "./machines/ssh.ts";
import { prepareSite, serveSite } from "./site.ts";

const program = new Command("npm run lab --").description("Virtual machines on a closed network, for demo and tests").enablePositionalOptions();

program
  .command("up")
  .description("serve the mirror and boot machines (default: cp1 w1); those that run already stay as they are")
  .argument("[names...]", `of ${machines.map((machine) => machine.name).join(" ")}`)
  .option("--from <set>", "start from a frozen set of disks")
  .action(async (names: string[], { from }: { from?: string }) => {
    const chosen = names.length > 0 ? names : ["cp1", "w1"];
    chosen.forEach(machineNamed);
    await serveSite(await prepareSite());
    await new Listr(
      [
        { title: "base image", task: (_, task) => lab.ensureBaseImage((text) => (task.output = text)) },
        {
          title: `machines ${chosen.join(", ")}`,
          task: async (_, task) => {
            const ready = await lab.up(chosen, { from, progress: (name, text) => (task.output = `${name}: ${text}`) });
            const faults = chosen.flatMap((name) => ready[name]!.failed.map((unit) => `${name}: ${unit} failed`));
            if (faults.length > 0) task.title += ` (${faults.join(", ")})`;
          },
        },
      ],
      { rendererOptions: { timer: PRESET_TIMER }, fallbackRendererOptions: { timer: PRESET_TIMER } },
    ).run();
    await printStatus();
  });

program.command("down").description("take everything down: machines and their disks, mirror, network").action(() => lab.down());

program.command("status").description("machines, addresses, memory of the host in use, host keys").action(printStatus);

program
  .command("ssh")
  .description("log in on a machine, or run a command on it")
  .option("-l, --user <user>", `one of ${users.map((user) => user.name).join(", ")}`, users[0]!.name)
  .argument("<name>")
  .argument("[command...]")
  .passThroughOptions()
  .action(async (name: string, command: string[], { user }: { user: string }) => {
    await become("ssh", [...(command.length === 0 ? ["-t"] : []), ...sshArguments(machineNamed(name), user), ...command]);
  });

program
  .command("power-off")
  .description("switch a machine off")
  .argument("<name>")
  .option("--hard", "pull the plug instead of asking")
  .action((name: string, { hard }: { hard?: boolean }) => lab.powerOff(name, { hard }));

program
  .command("power-on")
  .description("switch a machine on and wait until one can log in")
  .argument("<name>")
  .action(async (name: string) => void (await lab.powerOn(name)));

program
  .command("reboot")
  .description("restart a machine cleanly and wait until one can log in")
  .argument("<name>")
  .action(async (name: string) => void (await lab.reboot(name)));

program
  .command("reset")
  .description("give a machine a pristine disk with new host keys, as if it had been installed anew")
  .argument("<name>")
  .action(async (name: string) => void (await lab.reset(name)));

program
  .command("freeze")
  .description("switch machines off (default: all that run) and keep their disks under a name, for `up --from`")
  .argument("<set>")
  .argument("[names...]")
  .action(async (set: string, names: string[]) => {
    const running = (await lab.status()).filter((machine) => machine.state === "on").map((machine) => machine.name);
    await lab.freeze(set, names.length > 0 ? names : running);
  });

program
  .command("exec")
  .description("run a command inside the lab's network")
  .argument("<command...>")
  .passThroughOptions()
  .action(([command, ...args]: string[]) => become(command!, args));

program
  .command("shell")
  .description("a shell inside the lab's network")
  .action(async () => {
    await saveKubeconfig();
    await become(process.env.SHELL ?? "/bin/sh", []);
  });

/** Runs a command in the lab's network with this terminal, with the demo's stack and kubectl at hand, and ends as it ends. */
async function become(command: string, args: string[]): Promise<void> {
  const { exitCode } = await lab.inNamespace(command, args, { stdio: "inherit", reject: false, env: await demoEnvironment() });
  process.exitCode = exitCode ?? 1;
}

async function printStatus(): Promise<void> {
  for (const { name, address, state, memory, fingerprint } of await lab.status()) {
    const held = memory === undefined ? "" : `${memory} MiB`;
    console.log([name.padEnd(4), address.padEnd(11), state.padEnd(8), held.padStart(9), fingerprint ?? ""].join("  ").trimEnd());
  }
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

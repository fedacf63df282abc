import { createHash } from "node:crypto";
import { open, rm, stat, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { connect, type RootCommand } from "../machine/connection.ts";
import { ConnectionLostError, MachineError } from "../machine/errors.ts";
import { renderEnvironment } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";

/** A file on a machine that only root may read. */
export interface RemoteFile {
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What is in memory at a time, in MiB; in base64 a third more. */
const chunkMebibytes = 4;
const chunkBytes = chunkMebibytes * 2 ** 20;
/** Seconds for one of them, over a slow line. */
const timeoutSeconds = 600;

/**
 * Copies a file of root's from a machine to this computer, with mode 0600 and its checksum beside it as FILE.sha256.
 *
 * @param output must not exist
 * @throws Error when it exists; MachineError when what came is not what the machine has
 */
export async function download(target: SshTarget, file: RemoteFile, output: string, reporter: Reporter): Promise<void> {
  const handle = await open(output, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    for (let chunk = 0; chunk * chunkBytes < file.bytes; chunk += 1) {
      reporter.progress(`copying, ${Math.round((100 * chunk * chunkBytes) / file.bytes)} %`);
      const script = `${renderEnvironment({ FILE: file.path })}set -o pipefail\ndd if="$FILE" bs=1M skip=${chunk * chunkMebibytes} count=${chunkMebibytes} status=none | base64`;
      const bytes = Buffer.from(await runAgain(target, { script, timeoutSeconds }, reporter), "base64");
      hash.update(bytes);
      await handle.appendFile(bytes);
    }
    const sha256 = hash.digest("hex");
    if (sha256 !== file.sha256) throw changed(target, file.path, `the copy's checksum is ${sha256}, wanted ${file.sha256}`);
    await handle.sync();
    await writeFile(`${output}.sha256`, `${sha256}  ${basename(output)}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    await rm(output, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Copies a file from this computer to a machine, for root only; one that is there is replaced.
 *
 * @param path on the machine; its directory must be there
 * @throws MachineError when what arrived is not what was sent
 */
export async function upload(target: SshTarget, source: string, path: string, reporter: Reporter): Promise<void> {
  const { size } = await stat(source);
  const handle = await open(source, "r");
  const environment = renderEnvironment({ FILE: path });
  try {
    const hash = createHash("sha256");
    for (let offset = 0; offset < size; offset += chunkBytes) {
      reporter.progress(`copying, ${Math.round((100 * offset) / size)} %`);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(chunkBytes, size - offset)), { position: offset });
      const stdin = buffer.subarray(0, bytesRead);
      hash.update(stdin);
      // At its offset, so that a chunk that is sent again after a broken connection does no harm.
      const truncate = offset === 0 ? "" : "conv=notrunc ";
      const script = `${environment}umask 077\ndd of="$FILE" bs=1M seek=${offset / 2 ** 20} iflag=fullblock ${truncate}status=none`;
      await runAgain(target, { script, stdin, timeoutSeconds }, reporter);
    }
    const [arrived] = (await runAgain(target, { script: `${environment}sha256sum < "$FILE"`, timeoutSeconds }, reporter)).split(" ");
    const sha256 = hash.digest("hex");
    if (arrived !== sha256) throw changed(target, path, `the copy's checksum is ${arrived}, wanted ${sha256}`);
  } finally {
    await handle.close();
  }
}

/** What may be repeated at will: after a broken connection once more. */
async function runAgain(target: SshTarget, command: RootCommand, reporter: Reporter): Promise<string> {
  const run = async () => {
    const { code, stdout, stderr } = await (await connect(target, reporter)).sudo(command);
    if (code !== 0) throw changed(target, "the file", stderr.trim() || `exit status ${code}`);
    return stdout;
  };
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ConnectionLostError)) throw error;
    return run();
  }
}

const changed = ({ name }: SshTarget, path: string, reason: string): MachineError =>
  new MachineError({ machine: name, stage: "copy", cause: `${path} could not be copied: ${reason}`, next: `look at the disk of ${name} and of this computer, and run the command again` });

/** Removes a file of root's from a machine; one that is gone is removed already. */
export async function removeFile(target: SshTarget, path: string, reporter: Reporter): Promise<void> {
  await runAgain(target, { script: `${renderEnvironment({ FILE: path })}rm -f -- "$FILE"`, timeoutSeconds }, reporter);
}

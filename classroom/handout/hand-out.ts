import pLimit from "p-limit";
import { giveKubeconfig } from "../../controlplane/login-kubeconfig.ts";
import type { ClusterSettings } from "../../kubeadm/settings.ts";
import { connect } from "../../machine/connection.ts";
import { MachineError } from "../../machine/errors.ts";
import type { Reporter } from "../../machine/reporter.ts";
import type { ClassSettings } from "../class-file.ts";
import { parsedSettings, type Look } from "../look.ts";
import { failureOfLooks } from "../outcome.ts";
import type { Student } from "../roster.ts";
import { card, calledOf } from "./card.ts";
import { Ends, zoneOf } from "./ends.ts";
import { fileNames, type Handout } from "./facts.ts";
import { kubeconfigsFor, type Kubeconfigs } from "./kubeconfigs.ts";
import { operatorKey } from "./operator-key.ts";
import { pageHtml } from "./page-html.ts";
import { pagePdf } from "./page-pdf.ts";
import { sheet } from "./sheet.ts";
import { knownHosts, sshConfig } from "./ssh-files.ts";
import type { Files, Handouts } from "./store.ts";
import { wordsOf } from "./words.ts";

/** What handing out works with. */
export interface HandoutWork {
  readonly klass: ClassSettings;
  readonly handouts: Handouts;
  /** Looks at all machines of these students and changes nothing. */
  readonly look: (students: readonly Student[]) => Promise<Look[]>;
  /** Gets what is being done for a student now. */
  readonly moves: (student: Student, text: string) => void;
}

/** What came of handing out to one student. */
export type HandoutResult =
  | { readonly student: Student; readonly ok: true; readonly handout: Handout }
  | { readonly student: Student; readonly ok: false; readonly problem: string; readonly next: string };

/** A card is worked on by this computer, and more at the same time would not be ready earlier. */
const atTheSameTime = 8;

/**
 * Makes what each of these students gets: kubeconfigs, key, card and zip, and ~/.kube/config on the machines. What is there and good is
 * kept. What is wrong with one student is no other's matter.
 *
 * @throws Error when it cannot be done for anybody: `ends` is over
 */
export async function handOut(students: readonly Student[], work: HandoutWork): Promise<HandoutResult[]> {
  const ends = new Ends(work.klass);
  const looks = await work.look(students);
  const limit = pLimit(atTheSameTime);
  return Promise.all(students.map((student) => limit(() => handOutTo(student, looks.filter((seen) => seen.student === student), ends, work))));
}

/**
 * Writes the sheet of whoever runs the class anew, or removes what is left when nobody has anything any more.
 *
 * @param students the whole roster
 */
export async function writeSheet(students: readonly Student[], { klass, handouts }: Pick<HandoutWork, "klass" | "handouts">): Promise<void> {
  const all = handouts.all();
  if (all.length === 0) return handouts.clear();
  const page = sheet(klass, students, all, operatorKey(klass), handouts.directory);
  handouts.writeSheet({ "instructor.html": await pageHtml(page), "instructor.pdf": await pagePdf(page) });
}

async function handOutTo(student: Student, looks: readonly Look[], ends: Ends, work: HandoutWork): Promise<HandoutResult> {
  const again = `run \`classroom handout ${student.id}\` again`;
  const failure = failureOfLooks(looks);
  if (failure) return { student, ok: false, problem: failure.problem, next: `${failure.next ?? again}; ${again}` };
  const settings = parsedSettings(work.klass, student);
  const others = looks.find(({ facts, owner }) => facts!.owner !== owner);
  const unmade = settings.prepareTo === "cluster" ? looks.find(({ facts }) => !facts!.joined) : undefined;
  if (others ?? unmade) {
    const problem = others ? `${others.machine} does not belong to the class yet` : `${unmade!.machine} has not joined the cluster yet`;
    return { student, ok: false, problem, next: `run \`classroom up ${student.id}\`` };
  }
  try {
    return { student, ok: true, handout: await made(student, settings, looks, ends, work) };
  } catch (error) {
    if (error instanceof MachineError) return { student, ok: false, problem: `${error.machine}: ${error.cause}`, next: `${error.next}; then ${again}` };
    return { student, ok: false, problem: (error as Error).message, next: again };
  }
}

async function made(student: Student, settings: ClusterSettings, looks: readonly Look[], ends: Ends, { klass, handouts, moves }: HandoutWork): Promise<Handout> {
  const reporter: Reporter = { progress: (text) => moves(student, text), info: () => {}, warn: () => {} };
  const key = handouts.keyOf(student.id);
  const machines = looks.map((seen) => ({ seen, machine: [...settings.controlPlanes, ...settings.workers].find(({ name }) => name === seen.machine)! }));
  const controlPlanes = machines.flatMap(({ seen, machine }) => (settings.controlPlanes.includes(machine) ? [{ ...machine, target: seen.target }] : []));

  let kubeconfigs: Kubeconfigs | undefined;
  // A cluster on machines that the class has only prepared is the student's own work.
  if (settings.prepareTo === "cluster") {
    moves(student, "handing out: kubeconfigs");
    const files = { admin: fileNames.admin, limited: fileNames.limited };
    kubeconfigs = await kubeconfigsFor({ student: student.id, settings, controlPlanes, ends, before: (kind) => handouts.fileOf(student.id, files[kind]), reporter });
  }
  await Promise.all(looks.map((seen) => openMachine(seen, klass, handouts.keyPathOf(student.id), kubeconfigs, reporter)));

  moves(student, "handing out: card");
  const handout: Handout = {
    student: { id: student.id, ...(student.name !== undefined && { name: student.name }) },
    klass: klass.name,
    login: klass.login,
    machines: machines.map(({ seen, machine }) => ({
      name: machine.name,
      role: settings.controlPlanes.includes(machine) ? "control-plane" : "worker",
      host: machine.host,
      port: seen.target.port,
      clusterAddress: machine.clusterAddress,
      hostKey: seen.hostKey!,
    })),
    ...(kubeconfigs && { cluster: { server: kubeconfigs.server, ends: kubeconfigs.ends.toISOString() } }),
  };
  handouts.write(handout, await filesOf(handout, key.private, kubeconfigs, klass));
  return handout;
}

/** Sets up kubectl for the student's user, and logs in as the student would. */
async function openMachine({ machine, target, hostKey, student }: Look, { login }: ClassSettings, keyPath: string, kubeconfigs: Kubeconfigs | undefined, reporter: Reporter): Promise<void> {
  if (kubeconfigs) await giveKubeconfig(target, login, kubeconfigs.certificate, kubeconfigs.onMachines, reporter);
  try {
    await connect({ ...target, hostKey, user: login, auth: { privateKeyPath: keyPath, agent: false } }, reporter);
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    const next = `run \`classroom up ${student.id}\`, which puts the key there; if that changes nothing, see whether sshd lets ${login} in (AllowUsers, Match)`;
    throw new MachineError({ machine, stage: "handout", cause: `the student cannot log in: ${error.cause}`, next });
  }
}

async function filesOf(handout: Handout, key: string, kubeconfigs: Kubeconfigs | undefined, klass: ClassSettings): Promise<Files> {
  const page = card(handout, klass.language, zoneOf(klass));
  return {
    [fileNames.readme]: wordsOf(klass.language).readme({ title: `${handout.klass}: ${calledOf(handout.student)}`, hasCluster: kubeconfigs !== undefined }),
    [fileNames.html]: await pageHtml(page),
    [fileNames.pdf]: await pagePdf(page),
    [fileNames.key]: key,
    [fileNames.config]: sshConfig(handout),
    [fileNames.knownHosts]: knownHosts(handout),
    ...(kubeconfigs && { [fileNames.admin]: kubeconfigs.texts.admin, [fileNames.limited]: kubeconfigs.texts.limited }),
  };
}

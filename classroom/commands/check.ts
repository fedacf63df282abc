import type { Command } from "commander";
import { check, type Checked } from "../check.ts";
import { count } from "../count.ts";
import { faultsText, loadClassroom, type ClassFiles } from "../load.ts";
import { shown } from "../shown.ts";
import { contextIn, withClass, type ClassOptions } from "./context.ts";

/** `classroom check`: both files and every machine that they lead to, before anything starts. */
export function addCheck(program: Command): void {
  withClass(program.command("check"))
    .description("check class file and roster and look at every machine, all at once; changes nothing")
    .argument("[student...]", "ids; all when left out")
    .action(async (ids: string[], options: ClassOptions) => {
      const files = loadClassroom(options.class);
      if (files.faults.length > 0) console.log(faultsText(files.faults));
      const checked = await checkMachines(files, ids);
      console.log(closing(files, checked));
      process.exitCode = files.faults.length === 0 && checked.every(isInOrder) ? 0 : 1;
    });
}

/** Looks at the machines of those of the students whom no fault of a file concerns, and tells what is wrong with them. */
async function checkMachines(files: ClassFiles, ids: readonly string[]): Promise<Checked[]> {
  const { klass, sound, faults } = files;
  if (!klass) {
    console.log("No machine was looked at: name, shape and cluster in the class file must be in order first.");
    return [];
  }
  const { chosen, journal } = contextIn(klass, files, ids);
  const whole = chosen.filter((student) => sound.includes(student));
  console.log(`${faults.length === 0 ? "The roster is in order" : "Lines without a fault"}: ${count(whole.length, "student")}. Looking at ${count(whole.flatMap(({ machines }) => machines).length, "machine")}.`);
  const checked = await check(klass, whole, ({ id }) => journal.hostKeys(id));
  for (const { student, faults: told } of checked) for (const fault of told) console.log(`${shown(klass.roster)}:${student.line}: ${fault}`);
  return checked;
}

const isInOrder = ({ faults }: Checked): boolean => faults.length === 0;

function closing({ faults }: ClassFiles, checked: readonly Checked[]): string {
  const next = "Next: put right what the lines above name and run `classroom check` again.";
  if (faults.length > 0) return `${next} No other command begins while a file has a fault.`;
  const faulty = checked.filter((one) => !isInOrder(one));
  if (faulty.length === 0) return "Every machine is in order. Next: classroom up";
  const notYet = faulty.map(({ student }) => student.id).join(", ");
  return `${checked.length - faulty.length} of ${count(checked.length, "student")} can be built. Not yet: ${notYet}. ${next} \`classroom up\` builds the others meanwhile.`;
}

import pLimit from "p-limit";
import { runPreflight } from "../controlplane/preflight.ts";
import type { HostKeys } from "../controlplane/target.ts";
import type { ClassSettings } from "./class-file.ts";
import { parsedSettings, silent } from "./look.ts";
import { ownerOf } from "./project.ts";
import type { Student } from "./roster.ts";
import { inRosterWords } from "./roster-words.ts";

/** What stands in the way of one student's cluster, a text each; empty when nothing does. */
export interface Checked {
  readonly student: Student;
  readonly faults: readonly string[];
}

/** More at the same time would wait for this computer's processor, and look like machines that are slow to answer. */
const atTheSameTime = 50;

/**
 * Looks at all machines of these students at once, with all that `pulumi up` asks of a machine, and changes nothing.
 *
 * @param known host keys that machines must show which are the class's already, by student
 */
export async function check(klass: ClassSettings, students: readonly Student[], known: (student: Student) => HostKeys): Promise<Checked[]> {
  const limit = pLimit(atTheSameTime);
  const seen = await Promise.all(
    students.map((student) =>
      limit(async () => {
        const { faults, hostKeys } = await runPreflight(parsedSettings(klass, student), { owner: ownerOf(klass, student), hostKeys: known(student) }, silent);
        return { student, faults: faults.map((fault) => inRosterWords(fault, student)), hostKeys };
      }),
    ),
  );
  const first = new Map<string, { student: Student; machine: string }>();
  return seen.map(({ student, faults, hostKeys }) => {
    const shared = Object.entries(hostKeys).flatMap(([machine, key]) => {
      if (machine.startsWith("bastion ")) return [];
      const earlier = first.get(key);
      if (!earlier) first.set(key, { student, machine });
      return earlier && earlier.student !== student ? [sharedKey(machine, earlier)] : [];
    });
    return { student, faults: [...faults, ...shared] };
  });
}

function sharedKey(machine: string, { machine: other, student }: { machine: string; student: Student }): string {
  return (
    `${machine}: it shows the host key of ${other} (line ${student.line})\n  Why: it is the same machine under another address, or a copy of it; ` +
    `whoever is root on one can pass for the other.\n  Next: correct the roster; or give each copy keys of its own: ` +
    `\`rm /etc/ssh/ssh_host_* && ssh-keygen -A && systemctl restart ssh\`.`
  );
}

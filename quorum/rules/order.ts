import type { Observation } from "../observation.ts";
import { memberOf, wantedMachines } from "../ring.ts";
import { isAlarm } from "../sickness.ts";
import type { Refusal } from "../step.ts";
import { alarmAdvice, refuse } from "../texts.ts";

/** When nothing can be done and yet a wanted machine is not what it should be, that is said. */
export function notInOrder(observation: Observation): Refusal | undefined {
  for (const machine of wantedMachines(observation)) {
    const member = memberOf(observation, machine);
    if (machine.unreachable !== undefined) {
      const answers = member?.answersPeers ? "; its etcd answers the other members" : "";
      return refuse(
        observation,
        `${machine.name} cannot be reached (${machine.unreachable})${answers}`,
        `bring ${machine.name} back, or give its place to another machine, and run \`pulumi up\` again`,
      );
    }
    if (member?.sick !== undefined) {
      return refuse(
        observation,
        `${machine.name} is sick: ${member.sick}`,
        member.status?.errors.some(isAlarm) ? alarmAdvice : `look at etcd's log on ${machine.name} (\`crictl ps -a\`), or give its place to another machine`,
      );
    }
  }
  return undefined;
}

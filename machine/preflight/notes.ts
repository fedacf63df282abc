import { isOurs, type Observation, type Surroundings } from "./fault.ts";
import { supportedSystems, testedSystems } from "./rules/system.ts";

/** What is good to know of a machine and stops nothing, a sentence each. Nothing is told again of a machine that is a node already. */
export function notesOf(observation: Observation, surroundings: Surroundings): string[] {
  const { machine, facts } = observation;
  if (isOurs(observation, surroundings)) return [];
  const system = `${facts.os.id} ${facts.os.version}`;
  const notes: string[] = [];
  if (supportedSystems[facts.os.id]?.includes(facts.os.version) && !testedSystems.includes(system)) {
    notes.push(
      `${facts.os.name} should work, and is not among the tested systems (${testedSystems.join(", ")})`,
    );
  }
  if (facts.swaps.length > 0)
    notes.push(`swap on ${facts.swaps.join(", ")} is turned off while the machine is a node`);
  if (facts.firewall)
    notes.push(
      `${facts.firewall} is on: the nodes must reach each other on the ports of https://kubernetes.io/docs/reference/networking/ports-and-protocols/ and udp ${surroundings.settings.flannel.vxlanPort}${surroundings.settings.endpoint.vip === undefined ? "" : ", and the control planes by VRRP (IP protocol 112)"}`,
    );
  if (facts.missingTools.includes("curl")) notes.push("there is no curl, so the registries were not asked");
  return notes.map((note) => `${machine.name}: ${note}.`);
}

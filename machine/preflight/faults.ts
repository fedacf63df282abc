import { MachineError } from "../errors.ts";
import type { Fault, Observation, Rule, Surroundings } from "./fault.ts";
import { notesOf } from "./notes.ts";
import { endpointName, otherKeepalived, vipHolder, vipNetwork } from "./rules/endpoint.ts";
import { clusterAddress, defaultRoute, nameserver, ports, routes } from "./rules/network.ts";
import { existingCluster, leftovers, madeByHand, otherSoftware, owner } from "./rules/occupied.ts";
import {
  kubernetesPackages,
  packageLock,
  packagesInterrupted,
  registries,
  repositories,
} from "./rules/packages.ts";
import { disk, memory, mounts, processors } from "./rules/resources.ts";
import {
  aptPresent,
  architecture,
  cgroups,
  kernelModules,
  kernelVersion,
  operatingSystem,
  systemd,
  tools,
} from "./rules/system.ts";
import { clocks, uniqueness } from "./rules/together.ts";

/** What is asked of each machine, in the order in which faults are told. */
const rules: readonly Rule[] = [
  owner,
  existingCluster,
  madeByHand,
  operatingSystem,
  aptPresent,
  architecture,
  systemd,
  cgroups,
  kernelVersion,
  kernelModules,
  tools,
  processors,
  memory,
  disk,
  mounts,
  clusterAddress,
  defaultRoute,
  routes,
  vipNetwork,
  endpointName,
  nameserver,
  ports,
  otherSoftware,
  otherKeepalived,
  leftovers,
  packageLock,
  packagesInterrupted,
  repositories,
  kubernetesPackages,
  registries,
];

/** A machine that could not be looked at. */
export interface Failure {
  readonly machine: string;
  readonly error: Error;
}

/** What preflight says of all machines. */
export interface Verdict {
  /** What must be put right first. */
  readonly faults: Fault[];
  /** What the settings accept. */
  readonly waived: Fault[];
  /** What is good to know and stops nothing, a sentence each. */
  readonly notes: string[];
}

/**
 * Every fault of every machine at once. Pure.
 *
 * @param failures machines that could not be reached, logged in to or given root's rights on
 */
export function faultsOf(
  observations: readonly Observation[],
  failures: readonly Failure[],
  surroundings: Surroundings,
): Verdict {
  const all = [
    ...failures.map(faultOfFailure),
    ...observations.flatMap((observation) =>
      rules.flatMap((rule) =>
        rule(observation, surroundings).map((finding) => ({
          machine: observation.machine.name,
          waivable: true,
          ...finding,
        })),
      ),
    ),
    ...uniqueness(observations),
    ...clocks(observations),
    ...vipHolder(observations, surroundings),
  ];
  // kubeadm takes the names in any letter case, so it is the same here.
  const accepted = new Set(surroundings.settings.ignorePreflightErrors.map((name) => name.toLowerCase()));
  const isWaived = ({ check, waivable }: Fault) => waivable && accepted.has(check.toLowerCase());
  return {
    faults: all.filter((fault) => !isWaived(fault)),
    waived: all.filter(isWaived),
    notes: observations.flatMap((observation) => notesOf(observation, surroundings)),
  };
}

/** A fault as people read it. */
export function faultText({ machine, check, waivable, found, why, next }: Fault): string {
  const waiver = waivable ? ` Or accept it: add ${check} to ignorePreflightErrors.` : "";
  return `${machine}: ${found} [${check}]\n  Why: ${why}.\n  Next: ${next}.${waiver}`;
}

/** A machine's own errors carry the cause and the next step; any other is told as it is. */
function faultOfFailure({ machine, error }: Failure): Fault {
  const withoutStop = (sentence: string) => sentence.trimEnd().replace(/\.$/, "");
  const [found, next] =
    error instanceof MachineError
      ? [[error.cause, ...(error.evidence ? [error.evidence] : [])].join("\n"), error.next]
      : [error.message, `try \`ssh\` to ${machine} with the same user and key`];
  return {
    machine,
    check: "Connection",
    waivable: false,
    found: withoutStop(found),
    why: "a machine that cannot be looked at is not touched",
    next: withoutStop(next),
  };
}

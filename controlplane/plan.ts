import type { ClusterSettings } from "../kubeadm/settings.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Observation } from "../quorum/observation.ts";
import { planOf, planText } from "../quorum/plan.ts";
import { formerMembers, stillThere } from "./former-members.ts";
import type { Member } from "./member.ts";
import { look } from "./observe.ts";
import { observed } from "./reconcile.ts";

/** What would be done to a control plane, before anything is. */
export interface ControlPlanePlan {
  /** What preview shows, a line each; empty when there is nothing to do. */
  readonly lines: readonly string[];
  /** Why it must not be done, a text each with the next step. */
  readonly refused: readonly string[];
  /** Whether a member of the cluster was seen, on machines of the settings or on others. */
  readonly running: boolean;
  /** Machines that the settings name no more and that hold, or may hold, a part of the cluster. */
  readonly formers: readonly Member[];
}

/**
 * Looks at the control plane and says what bringing it to the settings would do, by the very function that does it.
 *
 * @param owner `project/stack/cluster`
 * @param earlier control planes of earlier settings
 * @throws MachineError for a machine of the settings that answers and cannot be looked at
 */
export async function planControlPlane(
  settings: ClusterSettings,
  owner: string,
  wanted: readonly Member[],
  earlier: readonly Member[],
  reporter: Reporter,
): Promise<ControlPlanePlan> {
  const formers = formerMembers(earlier, wanted);
  const { observation, machines } = await look(observed(wanted, formers), { endpoint: settings.endpoint, owner }, reporter);
  const plan = planOf(observation, undefined);
  const moved = movedEndpoint(settings, observation);
  const { refused } = plan;
  return {
    lines: planText(plan),
    refused: [...(refused ? [`controlPlanes: ${refused.reason}. Next: ${refused.next}.`] : []), ...(moved ? [moved] : [])],
    running: observation.members.length > 0,
    formers: stillThere(machines, observation),
  };
}

/** A single control plane is its own endpoint: the name would lead to the new machine before it is one. */
function movedEndpoint({ controlPlanes, endpoint }: ClusterSettings, { members }: Observation): string | undefined {
  const [only, ...others] = controlPlanes;
  const voters = members.filter(({ learner }) => !learner);
  if (others.length > 0 || endpoint.vip || endpoint.external || voters.length === 0) return undefined;
  if (voters.some(({ machine, wanted }) => wanted && machine === only!.name)) return undefined;
  return (
    `controlPlanes: ${only!.name} cannot take the place of ${voters.map(({ machine, name }) => machine ?? name).join(", ")}: ${endpoint.name} stands for ` +
    `the address of the only control plane, and would lead to ${only!.name} before that is one. Next: set endpoint.vip, or endpoint.external, ` +
    `and run \`pulumi up\` with the old control plane; then change it.`
  );
}

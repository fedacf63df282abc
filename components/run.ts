import type { Member } from "../controlplane/member.ts";
import type { SshTarget } from "../machine/target.ts";

// What one run of the engine has learned so far. One provider process serves all resources of a run, and the engine checks a resource
// before whatever depends on it, and everything that the program names before it deletes what the program names no more.

/** What Preflight saw of a cluster. */
export interface Seen {
  /** Control planes that the settings name. */
  readonly members: readonly Member[];
  /** Those that they name no more and that hold, or may hold, a part of the cluster. */
  readonly formers: readonly Member[];
  /** Whether something is to be done to the control plane, whatever the resource's own inputs say. */
  readonly due: boolean;
}

const clusters = new Map<string, Seen>();
const stagesInUse = new Set<string>();
const controlPlanesInUse = new Set<string>();

/** @param owner `project/stack/cluster` */
export const remember = (owner: string, seen: Seen): void => void clusters.set(owner, seen);

/** What Preflight saw in this run; nothing in a destroy, which runs no program. */
export const seenOf = (owner: string): Seen | undefined => clusters.get(owner);

const resetting = new Set<string>();

/**
 * Notes machines on which a reset that keeps the cluster's CA has not ended.
 *
 * @param hostKeys of these machines
 */
export const noteResetting = (hostKeys: readonly string[]): void => hostKeys.forEach((key) => resetting.add(key));

/** Whether what the cluster has on that machine is to be made again, although no input has changed. */
export const isResetting = ({ hostKey }: SshTarget): boolean => hostKey !== undefined && resetting.has(hostKey);

const keyOf = (stage: string, { name, hostKey }: SshTarget) => `${stage} ${name} ${hostKey}`;

/** Notes that the program has this stage on this machine. */
export const useStage = (stage: string, target: SshTarget): void => void stagesInUse.add(keyOf(stage, target));

/**
 * Whether the program has the stage on the machine, so that an old resource of the same stage and machine must not undo it: a machine
 * whose place another one was to take, and that came back before the other one had it, has both.
 */
export const isStageInUse = (stage: string, target: SshTarget): boolean => target.hostKey !== undefined && stagesInUse.has(keyOf(stage, target));

/** Notes that the program has this cluster's control plane. @param owner `project/stack/cluster` */
export const useControlPlane = (owner: string): void => void controlPlanesInUse.add(owner);

/** Whether the program has the cluster's control plane, so that an old resource in a forced replacement must not reset it. */
export const isControlPlaneInUse = (owner: string): boolean => controlPlanesInUse.has(owner);

import type { FailingPod } from "./problem.ts";

/** How long a pod may take to start, or to end. Pulling a large image takes about as long. */
const startMinutes = 3;

/** What passes by itself: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ */
const onTheWay = /^(Pending|ContainerCreating|PodInitializing|Terminating|Running|Init:\d+\/\d+)$/;

/**
 * The pods that fail among lines of `kubectl get pods --all-namespaces --no-headers`: all that neither run nor are completed, without
 * those that may still be starting.
 */
export function failingPods(lines: string): FailingPod[] {
  return lines.split("\n").flatMap((line) => {
    // RESTARTS may have several words, so that AGE is counted from the end.
    const [namespace = "", name = "", ready = "", status = "", ...rest] = line.trim().split(/\s+/);
    if (status === "" || status === "Completed") return [];
    const [running, wanted] = ready.split("/");
    if (status === "Running" && running === wanted) return [];
    if (onTheWay.test(status) && minutesOf(rest.at(-1) ?? "") < startMinutes) return [];
    return [{ namespace, name, reason: status === "Running" ? `${ready} Running` : status }];
  });
}

const minutesPer: Readonly<Record<string, number>> = { s: 1 / 60, m: 1, h: 60, d: 24 * 60, y: 365 * 24 * 60 };

/** `3m12s`, as kubectl prints an age; one that it does not know counts as old. */
function minutesOf(age: string): number {
  if (!/^(\d+[smhdy])+$/.test(age)) return Infinity;
  return [...age.matchAll(/(\d+)([smhdy])/g)].reduce((sum, [, number, unit]) => sum + Number(number) * minutesPer[unit!]!, 0);
}

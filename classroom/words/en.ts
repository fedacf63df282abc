import type { Problem } from "../problem.ts";
import type { Sentence, Words } from "../words.ts";

const list = (names: readonly string[], one: string, several: string) => `${names.length === 1 ? one : several} ${names.join(", ")}`;
const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
const anew = (student: string) => `\`classroom reset ${student}\` makes the cluster anew`;

function sentence(problem: Problem, student: string): Sentence {
  switch (problem.kind) {
    case "unreachable":
      return { problem: `${problem.machine} does not answer`, next: "is it on, and connected? `classroom status` tells more" };
    case "another-machine":
      return { problem: `${problem.machine} shows another host key than before`, next: `another machine, or installed anew: \`classroom status ${student}\`` };
    case "refused":
      return { problem: `${problem.machine} answers and lets us not in`, next: `key, user or sudo: \`classroom status ${student}\`` };
    case "unreadable":
      return { problem: `${problem.machine} does not tell how it is`, next: `\`classroom status ${student}\` tells more` };
    case "foreign":
      return { problem: `${problem.machine} belongs to another cluster`, next: "give it back there, or correct the roster" };
    case "by-hand":
      return { problem: `${problem.machine}: somebody has made a cluster on it by hand: ${problem.made}`, next: `\`classroom reset ${student}\` takes it away and makes the student's own` };
    case "failed":
      return { problem: `${problem.command}: ${problem.said}`, next: problem.next ?? `\`classroom up ${student}\` goes on` };
    case "killed":
      return { problem: `\`classroom ${problem.command}\` was killed`, next: `run \`classroom ${problem.command} ${student}\` again` };
    case "unfinished":
      return { problem: `prepared up to ${problem.stage}, and nobody works on it`, next: `\`classroom up ${student}\` goes on` };
    case "not-begun":
      return { problem: "nothing of the class is on it yet", next: `\`classroom up ${student}\`` };
    case "certificate":
      return {
        problem: `certificate ${problem.name} on ${problem.machine} ${problem.days < 0 ? "has ended" : `ends in ${problem.days} days`}`,
        next: `\`kubeadm certs renew all\` on ${problem.machine}, then restart its control plane; or \`classroom reset ${student}\``,
      };
    case "silent-cluster":
      return { problem: `the cluster does not answer: ${problem.said}`, next: `\`crictl ps -a\` and \`journalctl -u kubelet\` on the machine; ${anew(student)}` };
    case "nodes-not-ready":
      return {
        problem: `${list(problem.nodes, "node", "nodes")} ${problem.nodes.length === 1 ? "is" : "are"} NotReady`,
        next: `\`systemctl status kubelet\` there; ${anew(student)}`,
      };
    case "nodes-missing":
      return { problem: `the cluster has no ${list(problem.nodes, "node", "nodes")}`, next: `\`systemctl restart kubelet\` there registers it again; ${anew(student)}` };
    case "disk":
      return { problem: `the disk of ${problem.machine} is nearly full: ${gigabytes(problem.availableBytes)} GB (${problem.percent} %) left`, next: "`crictl rmi --prune`, and look for large files in /var" };
    case "pods": {
      const { namespace, name, reason } = problem.first;
      const others = problem.failing - 1;
      return { problem: `${namespace}/${name} ${reason}${others > 0 ? ` (and ${others} more)` : ""}`, next: `\`kubectl -n ${namespace} describe pod ${name}\`` };
    }
  }
}

/** English. */
export const en: Words = {
  language: "en",
  states: { ready: "ready", working: "working", "not-ready": "NOT READY", partial: "NOT FINISHED", none: "nothing yet", unreachable: "NOT REACHABLE", looking: "looking" },
  prepared: (to) => `prepared: ${to}`,
  byHand: (made) => `made by hand: ${made}`,
  nodes: "nodes",
  pods: "pods",
  disk: "disk",
  certificate: "cert",
  stage: "at",
  podsRun: "run",
  podsFail: (count) => `${count} fail`,
  days: (days) => (days > 730 ? `${Math.floor(days / 365)} y` : `${days} d`),
  ended: "ended",
  bare: "bare",
  title: "board",
  all: "All",
  onlyNeeds: "Only what needs me",
  inOrder: "In order",
  byNeed: "By need",
  nobodyNeeds: "Nobody needs you.",
  secondsAgo: "{} s ago",
  minutesAgo: "{} min ago",
  notYet: "not yet seen",
  lost: "NO CONNECTION to the board since {}: everything below is old. Is `classroom board` still running?",
  noScript: "This page needs JavaScript.",
  sentence,
};

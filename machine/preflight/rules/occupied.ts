import { byHandText } from "../../by-hand.ts";
import { isOurs, type Finding, type Rule } from "../fault.ts";

const otherKubernetes = ["k3s", "rke2", "k0s", "microk8s", "the kubelet snap"];

/** Whom the machine belongs to. */
export const owner: Rule = ({ facts }, surroundings) =>
  facts.owner === "" || facts.owner === surroundings.owner
    ? []
    : [
        {
          check: "Owner",
          waivable: false,
          found: `the machine belongs to ${facts.owner}`,
          why: "two stacks on one machine would undo each other's work",
          next: `run \`pulumi destroy\` in the stack that it belongs to; if that stack is lost, take what it left from the machine and remove /var/lib/pulumi-kubeadm`,
        },
      ];

/** A cluster that the kit did not make. */
export const existingCluster: Rule = (observation, surroundings) => {
  const { facts } = observation;
  if (isOurs(observation, surroundings) || facts.owner !== "" || facts.cluster.length === 0) return [];
  return [
    {
      check: "ExistingCluster",
      waivable: false,
      found: `the machine is, or was, part of another cluster: ${facts.cluster.join(", ")}`,
      why: "that cluster's data would be lost",
      next: "run `kubeadm reset` on the machine when the cluster is not needed any more, or use another machine",
    },
  ];
};

/** What somebody made by hand since the machine was prepared. Where machines are only prepared, that is what they are for. */
export const madeByHand: Rule = ({ machine, facts }, { settings }) =>
  facts.byHand === null || settings.prepareTo !== "cluster"
    ? []
    : [
        {
          check: "MadeByHand",
          waivable: false,
          found: `somebody has made a cluster on it by hand: ${byHandText(facts.byHand)}`,
          why: "this cluster takes its place, and all that is in it is lost",
          next: `\`npx pulumi-kubeadm wipe ${machine.name}\` takes it away; in a class, \`npx classroom reset\` with the student's id does, and makes the new one`,
        },
      ];

/** Other runtimes and other Kubernetes. */
export const otherSoftware: Rule = (observation): Finding[] =>
  observation.facts.software.map((name) =>
    otherKubernetes.includes(name)
      ? {
          check: "OtherKubernetes",
          found: `${name} is installed`,
          why: "it uses the same ports, links and packet-filter rules",
          next: `remove ${name}, and restart the machine`,
        }
      : {
          check: "OtherRuntime",
          found: `${name} is installed`,
          why:
            name === "docker"
              ? "it runs on the same containerd, whose configuration is replaced, and drops forwarded packets"
              : "it is a second container runtime, with a CNI configuration of its own",
          next: `remove ${name}, or accept that its containers are restarted`,
        },
  );

/** What a cluster before, or another runtime, left in the pod network's way. */
export const leftovers: Rule = (observation, surroundings) => {
  if (isOurs(observation, surroundings) || observation.facts.leftovers.length === 0) return [];
  const names = observation.facts.leftovers.map((path) => path.replace("/sys/class/net/", "the link "));
  return [
    {
      check: "Leftovers",
      found: `there is ${names.join(", ")}`,
      why: "of several CNI configurations the first by name is taken, and a bridge keeps the address of the pod network before",
      next: "remove the files, and the links with `ip link delete`",
    },
  ];
};

import type * as inputs from "@pulumi/kubernetes/types/input.js";
import { stringify } from "yaml";

/** Somebody whom a student's kubeconfig stands for. */
export interface Identity {
  /** As in the name of the file. */
  readonly kind: "admin" | "limited";
  /** Group in the certificate, which is all that the cluster knows of the rights. */
  readonly group: string;
}

// Groups of our own: nobody may sign a certificate for system:masters over the API, and what a binding gives, a lesson can take apart.
export const identities: readonly Identity[] = [
  { kind: "admin", group: "classroom:admins" },
  { kind: "limited", group: "classroom:viewers" },
];

/** Where the limited identity may change things. */
export const practiceNamespace = "practice";

/**
 * What the two groups may do, as YAML. Admins: everything. Viewers: look at everything but Secrets and access rights, at nodes too, and
 * change what is in one namespace: so a lesson on access control has something that is allowed, something that is allowed in one place,
 * and something that is not.
 */
export function accessObjects(): string {
  const [admins, viewers] = identities.map(({ group }) => group) as [string, string];
  const objects: object[] = [
    binding("classroom-admins", "cluster-admin", admins),
    binding("classroom-viewers", "view", viewers),
    nodeReader,
    binding("classroom-node-readers", nodeReaderName, viewers),
    practice,
    practiceEditors(viewers),
  ];
  return objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
}

const rbac = "rbac.authorization.k8s.io";

const subject = (group: string) => ({ kind: "Group", name: group, apiGroup: rbac });
const role = (name: string) => ({ kind: "ClusterRole", name, apiGroup: rbac });

const binding = (name: string, clusterRole: string, group: string): inputs.rbac.v1.ClusterRoleBinding => ({
  apiVersion: `${rbac}/v1`,
  kind: "ClusterRoleBinding",
  metadata: { name },
  roleRef: role(clusterRole),
  subjects: [subject(group)],
});

const nodeReaderName = "classroom-node-reader";

/** Kubernetes' own role `view` is for what is in namespaces. */
const nodeReader: inputs.rbac.v1.ClusterRole = {
  apiVersion: `${rbac}/v1`,
  kind: "ClusterRole",
  metadata: { name: nodeReaderName },
  rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] }],
};

const practice: inputs.core.v1.Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: practiceNamespace } };

const practiceEditors = (group: string): inputs.rbac.v1.RoleBinding => ({
  apiVersion: `${rbac}/v1`,
  kind: "RoleBinding",
  metadata: { name: "classroom-viewers", namespace: practiceNamespace },
  roleRef: role("edit"),
  subjects: [subject(group)],
});

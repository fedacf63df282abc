import Table from "cli-table3";
import type { ClusterStatus, ControlPlaneStatus, EndpointStatus, NodeStatus } from "./describe-status.ts";

/** What is not known. */
const unknown = "?";
/** What there is not. */
const none = "-";

/** The status as one screen of text. */
export function statusText(status: ClusterStatus): string {
  const { cluster, endpoint, controlPlanes, etcd, workers, problems, nextChange } = status;
  const section = (title: string, lines: readonly string[]) => (lines.length > 0 ? [title, ...lines.map((line) => `  ${line}`), ""] : []);
  return [
    `cluster ${cluster}: ${status.verdict === "unknown" ? "not known" : status.verdict}`,
    `endpoint ${endpointText(endpoint)}`,
    `etcd: ${etcd.voters === 0 ? "no member is seen" : `voters ${etcd.voters}, healthy ${etcd.healthy}, quorum ${etcd.quorum}, tolerance ${etcd.tolerance}`}`,
    "",
    table(
      ["CONTROL PLANE", "NODE", "ROLE", "ETCD", "LAG", "DB (IN USE)", "COMPONENTS", "CERTIFICATES", "KUBELET"],
      controlPlanes.map((member) => controlPlaneRow(member, endpoint)),
    ),
    "",
    ...(workers.length > 0 ? [table(["WORKER", "NODE", "KUBELET"], workers.map((worker) => [worker.name, nodeText(worker), worker.kubelet ?? unknown])), ""] : []),
    ...section("not in order:", problems),
    ...section("next safe change:", nextChange),
  ]
    .join("\n")
    .trimEnd();
}

function endpointText({ name, port, kind, address, holders }: EndpointStatus): string {
  const where = `${name}:${port}`;
  if (kind === "machine") return `${where}, the control plane itself`;
  if (kind === "external") return `${where}, behind ${address}`;
  return `${where}, ${address} held by ${holders!.length > 0 ? holders!.join(" and ") : "nobody that was seen"}`;
}

function controlPlaneRow(member: ControlPlaneStatus, { holders }: EndpointStatus): string[] {
  const { name, address, leaving, role, sick, alarms, lag, dbBytes, dbInUseBytes, components, certificate, kubelet } = member;
  const notes = [leaving && "leaving", address === undefined && "no machine", holders?.includes(name) && "vip"].filter(Boolean);
  return [
    `${name}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`,
    nodeText(member),
    role === "no member" ? none : role === "unknown" ? unknown : role,
    role === "no member" ? none : role === "unknown" ? unknown : alarms.length > 0 ? "alarm" : sick === undefined ? "healthy" : "sick",
    lag === undefined ? unknown : String(lag),
    dbBytes === undefined || dbInUseBytes === undefined ? unknown : `${mebibytes(dbBytes)} (${mebibytes(dbInUseBytes)}) MiB`,
    components === "unknown" ? unknown : components,
    certificate ? `${certificate.days} d, ${certificate.name}` : unknown,
    kubelet ?? unknown,
  ];
}

const nodeText = ({ node, cordoned }: NodeStatus): string => `${node === "unknown" ? unknown : node}${cordoned ? ", cordoned" : ""}`;

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** As kubectl prints its tables: no lines, two spaces between columns. */
function table(head: string[], rows: string[][]): string {
  const nothing = ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid"];
  const drawn = new Table({
    chars: { ...Object.fromEntries(nothing.map((part) => [part, ""])), middle: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  drawn.push(head, ...rows);
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

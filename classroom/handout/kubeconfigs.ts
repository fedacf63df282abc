import { apiAddressOf } from "../../controlplane/describe.ts";
import { giveAccess } from "../../controlplane/client-access.ts";
import type { Member } from "../../controlplane/member.ts";
import { clientKubeconfig, clientOf, type ApiAddress, type ClientCertificate } from "../../kubeadm/kubeconfig.ts";
import type { ClusterSettings } from "../../kubeadm/settings.ts";
import type { Reporter } from "../../machine/reporter.ts";
import { accessObjects, identities, type Identity } from "./access.ts";
import { endOf, newClientKey } from "./client-key.ts";
import type { Ends } from "./ends.ts";

/** The kubeconfigs of one student. */
export interface Kubeconfigs {
  /** Text by identity, each a secret. */
  readonly texts: Readonly<Record<Identity["kind"], string>>;
  /** The admin's for the machines themselves, which know the API by its name; a secret. */
  readonly onMachines: string;
  /** The admin's certificate, base64 as it stands in the files. */
  readonly certificate: string;
  /** `https://…` for those outside. */
  readonly server: string;
  /** When the first of the certificates ends. */
  readonly ends: Date;
}

/** What kubeconfigs are made of. */
export interface KubeconfigWork {
  readonly student: string;
  readonly settings: ClusterSettings;
  readonly controlPlanes: readonly Member[];
  readonly ends: Ends;
  /** What the student has already. */
  readonly before: (kind: Identity["kind"]) => string | undefined;
  readonly reporter: Reporter;
}

/**
 * The student's kubeconfigs. Those that the student has are kept while they open this cluster and end when they should; keys of new ones
 * are made here, and only the requests for certificates go to a machine.
 *
 * @throws MachineError when no control plane answers, or the cluster does not sign
 */
export async function kubeconfigsFor(work: KubeconfigWork): Promise<Kubeconfigs> {
  const { student, settings, controlPlanes, before, ends } = work;
  const { caCert: ca } = await giveAccess(controlPlanes, accessObjects(), undefined, work.reporter);
  const api = apiAddressOf(settings, controlPlanes[0]!);
  const made: { kind: Identity["kind"]; client: ClientCertificate; user: string }[] = [];
  for (const identity of identities) {
    const kept = clientOf(before(identity.kind) ?? "");
    const isGood = kept !== undefined && kept.ca.trim() === ca.trim() && ends.areKeptBy(endOf(kept.certificate));
    made.push({ kind: identity.kind, user: `${student}-${identity.kind}`, client: isGood ? kept : await newClient(identity, work) });
  }
  const text = (place: ApiAddress, { user, client }: (typeof made)[number]) => clientKubeconfig(place, ca, user, client);
  const admin = made.find(({ kind }) => kind === "admin")!;
  return {
    texts: Object.fromEntries(made.map((one) => [one.kind, text(api, one)])) as Kubeconfigs["texts"],
    onMachines: text({ ...api, address: api.serverName }, admin),
    certificate: Buffer.from(admin.client.certificate).toString("base64"),
    server: `https://${api.address.includes(":") ? `[${api.address}]` : api.address}:${api.port}`,
    ends: new Date(Math.min(...made.map(({ client }) => endOf(client.certificate).getTime()))),
  };
}

async function newClient({ kind, group }: Identity, { student, controlPlanes, ends, reporter }: KubeconfigWork): Promise<ClientCertificate> {
  const { key, csr } = await newClientKey(`${student}-${kind}`, group);
  const { certificate } = await giveAccess(controlPlanes, accessObjects(), { name: `classroom-${student}-${kind}`, csr, expirationSeconds: ends.seconds }, reporter);
  return { certificate, key };
}

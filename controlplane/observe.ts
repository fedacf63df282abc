import { caCertHashOf } from "../kubeadm/kubeconfig.ts";
import { inspect } from "../machine/inspect.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { MemberState } from "../quorum/next-step.ts";
import type { Member } from "./member.ts";

/** What `scripts/control-plane.sh inspect` prints. */
interface ControlPlaneDocument {
  readonly drift: string[];
  readonly facts: { readonly state: "none" | "unfinished" | "foreign" | "initialised"; readonly ready: boolean; readonly caCert: string };
}

/** Looks at one control-plane machine; changes nothing. */
export async function inspectMember(member: Member, reporter: Reporter): Promise<ControlPlaneDocument> {
  const environment = { NODE_NAME: member.name };
  return (await inspect(member.target, "control-plane", renderScript("control-plane.sh"), environment, reporter)) as ControlPlaneDocument;
}

/**
 * Looks at every configured control-plane machine at once.
 *
 * @throws MachineError for a machine that cannot be looked at: what is not known is not acted on
 */
export async function observe(members: readonly Member[], reporter: Reporter): Promise<MemberState[]> {
  return Promise.all(
    members.map(async (member) => {
      const { state, ready, caCert } = (await inspectMember(member, reporter)).facts;
      const controlPlane =
        state === "initialised" ? { ready, caCertHash: caCertHashOf(Buffer.from(caCert, "base64").toString()) } : state;
      return { name: member.name, controlPlane };
    }),
  );
}

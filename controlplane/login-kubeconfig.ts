import { runDirectly } from "../machine/inspect.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";

/**
 * Gives a user of a machine a ~/.kube/config. One with that certificate stays as it is.
 *
 * @param certificate base64, as it stands in the kubeconfig
 * @param kubeconfig text of the file, a secret
 * @throws MachineError when there is no such user, or the machine cannot be reached
 */
export async function giveKubeconfig(target: SshTarget, login: string, certificate: string, kubeconfig: string, reporter: Reporter): Promise<void> {
  await runDirectly({
    target,
    stage: "login-kubeconfig",
    verb: "apply",
    script: renderScript("login-kubeconfig.sh"),
    environment: { LOGIN: login, CERTIFICATE: certificate, KUBECONFIG_KEY: kubeconfig },
    reporter,
    timeoutSeconds: 60,
  });
}

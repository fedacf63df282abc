import type { RegistryMirror } from "../../kubeadm/settings.ts";
import { containerdConfig, crictlConfig, registryHosts } from "./containerd-config.ts";
import { repositoryEnvironment, repositoryFor, type RepositoryParameters } from "./repository.ts";
import type { Stage } from "./stage.ts";

/** What containerd is to be. */
export interface ContainerRuntimeParameters {
  /** Patch version of the kubeadm that names the sandbox image. */
  readonly kubernetesVersion: string;
  readonly imageRepository: string;
  readonly repositories: { readonly kubernetes: RepositoryParameters; readonly containerd: RepositoryParameters };
  readonly registryMirrors: Readonly<Record<string, RegistryMirror>>;
}

/** containerd 2.x, with the whole of its configuration, and kubeadm, which knows the sandbox image of its version. */
export const containerRuntime: Stage<ContainerRuntimeParameters> = {
  name: "container-runtime",
  script: "container-runtime.sh",
  deadlineSeconds: 1800,
  from: "runtime",
  parameters: ({ kubernetesVersion, imageRepository, packages, registryMirrors }) => ({
    kubernetesVersion,
    imageRepository,
    repositories: {
      kubernetes: repositoryFor(packages.kubernetes, kubernetesVersion),
      containerd: repositoryFor(packages.containerd, kubernetesVersion),
    },
    registryMirrors,
  }),
  environment: ({ kubernetesVersion, imageRepository, repositories, registryMirrors }) => {
    const registries = Object.entries(registryMirrors);
    return {
      KUBERNETES_VERSION: kubernetesVersion,
      IMAGE_REPOSITORY: imageRepository,
      ...repositoryEnvironment("kubernetes", repositories.kubernetes),
      ...repositoryEnvironment("containerd", repositories.containerd),
      // The script puts the image into this place, when kubeadm on the machine has told it.
      CONTAINERD_CONFIG: containerdConfig("SANDBOX_IMAGE"),
      CRICTL_CONFIG: crictlConfig,
      REGISTRIES: registries.map(([registry]) => registry).join(" "),
      ...Object.fromEntries(
        registries.flatMap(([registry, mirror], number) => [
          [`REGISTRY_${number}_HOSTS`, registryHosts(registry, mirror)],
          [`REGISTRY_${number}_CA`, mirror.ca === undefined ? "" : `${mirror.ca.trim()}\n`],
        ]),
      ),
    };
  },
};

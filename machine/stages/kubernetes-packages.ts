import { repositoryEnvironment, repositoryFor, type RepositoryParameters } from "./repository.ts";
import type { Stage } from "./stage.ts";

/** Which packages and images a node is to have. */
export interface KubernetesPackagesParameters {
  /** Patch version of kubeadm, kubelet and kubectl. */
  readonly kubernetesVersion: string;
  readonly imageRepository: string;
  readonly repository: RepositoryParameters;
  /** True on a control plane: it runs all of kubeadm's images. */
  readonly controlPlane: boolean;
  /** Images besides kubeadm's. */
  readonly images: readonly string[];
  /** Registries that have mirrors. */
  readonly mirroredRegistries: readonly string[];
}

/** kubelet, kubeadm and kubectl at one version, held, and the cluster's images pulled ahead. */
export const kubernetesPackages: Stage<KubernetesPackagesParameters> = {
  name: "kubernetes-packages",
  script: "kubernetes-packages.sh",
  // Images over a slow line.
  deadlineSeconds: 3600,
  from: "packages",
  parameters: ({ kubernetesVersion, imageRepository, packages, controlPlanes, flannel, registryMirrors }, machine) => ({
    kubernetesVersion,
    imageRepository,
    repository: repositoryFor(packages.kubernetes, kubernetesVersion),
    controlPlane: controlPlanes.some(({ name }) => name === machine.name),
    images: [flannel.image, flannel.cniPluginImage],
    mirroredRegistries: Object.keys(registryMirrors),
  }),
  environment: ({ kubernetesVersion, imageRepository, repository, controlPlane, images, mirroredRegistries }) => ({
    KUBERNETES_VERSION: kubernetesVersion,
    IMAGE_REPOSITORY: imageRepository,
    ...repositoryEnvironment("kubernetes", repository),
    CONTROL_PLANE: controlPlane ? "yes" : "no",
    MORE_IMAGES: images.join(" "),
    REGISTRIES: mirroredRegistries.join(" "),
  }),
};

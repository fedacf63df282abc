import type { ClusterSettings } from "../../kubeadm/settings.ts";

/** An image or a registry, and the addresses that one of is enough to reach it. */
export interface ImageProbe {
  /** Registry as images name it. */
  readonly registry: string;
  /** The whole name of the image; undefined when only the registry is asked. */
  readonly image?: string;
  /** Addresses to ask, mirrors first. */
  readonly urls: string[];
}

/** Docker Hub answers under another name than its images carry. */
const upstreams: Record<string, string> = { "docker.io": "registry-1.docker.io" };

/**
 * What to ask the registries for. kubeadm's other images have tags that only kubeadm knows; the apiserver's stands for them.
 *
 * @param kubernetesVersion the patch version, or undefined when only its minor is known yet
 */
export function imageProbes(settings: ClusterSettings, kubernetesVersion: string | undefined): ImageProbe[] {
  const { imageRepository, flannel } = settings;
  return [
    kubernetesVersion
      ? probe(settings, `${imageRepository}/kube-apiserver:v${kubernetesVersion}`)
      : probeOfRegistry(settings, imageRepository.split("/")[0]!),
    probe(settings, flannel.image),
    probe(settings, flannel.cniPluginImage),
  ];
}

function probe(settings: ClusterSettings, image: string): ImageProbe {
  const slash = image.indexOf("/");
  const [registry, name] = [image.slice(0, slash), image.slice(slash + 1)];
  const [, repository, reference] = /^([^:@]+)(?::[^@]*@|[:@])(.+)$/.exec(name)!;
  return {
    registry,
    image,
    urls: basesOf(settings, registry).map((base) => `${base}/${repository}/manifests/${reference}`),
  };
}

const probeOfRegistry = (settings: ClusterSettings, registry: string): ImageProbe => ({
  registry,
  urls: basesOf(settings, registry).map((base) => `${base}/`),
});

/** Where the registry's API is: at its mirrors, and upstream when that may be asked. containerd adds /v2 as here. */
function basesOf({ registryMirrors }: ClusterSettings, registry: string): string[] {
  const mirror = registryMirrors[registry];
  const upstream = `https://${upstreams[registry] ?? registry}`;
  return [...(mirror?.endpoints ?? []), ...(!mirror || mirror.fallback ? [upstream] : [])].map((endpoint) => {
    const base = endpoint.replace(/\/+$/, "");
    return base.endsWith("/v2") ? base : `${base}/v2`;
  });
}

/** Every probe that a machine may have been given, whether the version was known then or not; none twice. */
export function possibleProbes(
  settings: ClusterSettings,
  kubernetesVersion: string | undefined,
): ImageProbe[] {
  const all = [...imageProbes(settings, kubernetesVersion), ...imageProbes(settings, undefined)];
  return all.filter(({ urls }, i) => all.findIndex((other) => other.urls[0] === urls[0]) === i);
}

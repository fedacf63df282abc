import { isPatch, minorOf, resolveVersion } from "../../../kubeadm/versions.ts";
import { isOurs, type Finding, type Rule } from "../fault.ts";
import { possibleProbes } from "../registries.ts";

/** dpkg's and apt's locks. Not while a job of ours runs: then they are ours, and the job is waited for. */
export const packageLock: Rule = ({ facts }) =>
  facts.packageLock === "" || facts.jobRunning
    ? []
    : [
        {
          check: "PackageLock",
          found: `${facts.packageLock} holds the lock of apt or dpkg`,
          why: "nothing can be installed meanwhile",
          next: "wait until it has ended; accepted, the installation waits for it up to ten minutes",
        },
      ];

/** A run of dpkg that did not end. On a machine of this cluster the stages put it right. */
export const packagesInterrupted: Rule = (observation, surroundings) =>
  !observation.facts.packagesInterrupted || observation.facts.jobRunning || isOurs(observation, surroundings)
    ? []
    : [
        {
          check: "PackagesInterrupted",
          found: "dpkg was interrupted in the middle of an installation",
          why: "apt installs nothing until that is ended",
          next: "run `sudo dpkg --configure -a` on the machine",
        },
      ];

/** The package repositories as the machine reaches them. */
export const repositories: Rule = ({ facts }) =>
  facts.repositories
    .filter(({ error }) => error !== "")
    .map(({ name, url, error }) => ({
      check: "Repository",
      found: `the package repository of ${name} cannot be read: ${error}${error.includes(url) ? "" : ` (${url})`}`,
      why: "the packages come from there",
      next: `set packages.${name}.url to a repository that the machine reaches, or open the way to it (DNS, firewall, apt's proxy)`,
    }));

/** The wanted Kubernetes version is in the repository. */
export const kubernetesPackages: Rule = ({ facts }, { settings, kubernetesVersion }) => {
  const repositoryFails = facts.repositories.some(({ name, error }) => name === "kubernetes" && error !== "");
  const asked = facts.repositories.some(({ name }) => name === "kubernetes");
  if (!asked || repositoryFails) return [];
  const wanted = kubernetesVersion ?? settings.kubernetesVersion;
  const fault = facts.kubeadmVersions
    ? resolveVersion(wanted, facts.kubeadmVersions).fault
    : "the package repository's index (Packages.gz or Packages) cannot be read";
  if (fault === undefined) return [];
  return [
    {
      check: "KubernetesVersion",
      waivable: false,
      found: fault,
      why: "kubeadm, kubelet and kubectl are installed at one version",
      next: `set kubernetesVersion to one that is there, or add ${wanted} to the mirror (packages.kubernetes.url: ${settings.packages.kubernetes.url.replaceAll("{minor}", minorOf(wanted))})`,
    },
  ];
};

/** The image registries as the machine reaches them, and the images that can be asked for by name. */
export const registries: Rule = ({ facts }, { settings, kubernetesVersion }): Finding[] => {
  if (facts.web.length === 0) return [];
  const version = kubernetesVersion ?? settings.kubernetesVersion;
  const unreachable = new Set<string>();
  return possibleProbes(settings, isPatch(version) ? version : undefined).flatMap(
    ({ registry, image, urls }) => {
      const answers = facts.web.filter(({ url }) => urls.includes(url));
      const setting = settings.registryMirrors[registry]
        ? `registryMirrors["${registry}"]`
        : "registryMirrors";
      // 401 and 403: the registry wants a login first and would say nothing of the image; containerd asks with the right token.
      if (
        answers.length === 0 ||
        answers.some(({ status }) => status === 401 || status === 403 || (status >= 200 && status < 400))
      )
        return [];
      const missing = answers.find(({ status }) => status === 404);
      if (missing && image === undefined) return [];
      if (missing) {
        return [
          {
            check: "ImagePull",
            found: `the image ${image} is not in the registry (${missing.url} answers 404)`,
            why: "it cannot be pulled",
            next: `put it there, or correct its name or ${setting}`,
          },
        ];
      }
      if (unreachable.has(registry)) return [];
      unreachable.add(registry);
      return [
        {
          check: "Registry",
          found: `the registry for ${registry} cannot be reached: ${answers.map(({ url, status, error }) => `${url}: ${status > 0 ? `status ${status}` : error}`).join("; ")}`,
          why: "images come from there",
          next: `set ${setting} to a mirror that the machine reaches, or open the way to it`,
        },
      ];
    },
  );
};

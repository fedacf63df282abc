import type { RepositorySettings } from "../../kubeadm/settings.ts";
import { minorOf } from "../../kubeadm/versions.ts";

/** One apt repository, with {minor} resolved; {os} and {codename} are for the machine to fill in. */
export type RepositoryParameters = RepositorySettings;

/** The repository for this version of Kubernetes. */
export function repositoryFor(repository: RepositorySettings, kubernetesVersion: string): RepositoryParameters {
  const resolved = (text: string) => text.replaceAll("{minor}", minorOf(kubernetesVersion));
  const { keyUrl } = repository;
  return { ...repository, url: resolved(repository.url), suite: resolved(repository.suite), ...(keyUrl !== undefined && { keyUrl: resolved(keyUrl) }) };
}

/** The variables that `use_repository NAME` of lib/repositories.sh reads. */
export function repositoryEnvironment(name: "kubernetes" | "containerd", repository: RepositoryParameters): Record<string, string> {
  const prefix = name.toUpperCase();
  return {
    [`${prefix}_URL`]: repository.url,
    [`${prefix}_SUITE`]: repository.suite,
    [`${prefix}_COMPONENTS`]: repository.components.join(" "),
    [`${prefix}_KEY`]: repository.key?.trim() ?? "",
    [`${prefix}_KEY_URL`]: repository.key === undefined ? (repository.keyUrl ?? "") : "",
    [`${prefix}_KEY_FINGERPRINT`]: repository.keyFingerprint ?? "",
  };
}

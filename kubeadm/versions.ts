import semver from "semver";
import { z } from "zod";

/** Kubernetes minors that the kit supports, oldest first: those that kubeadm's v1beta4 and the project's own releases cover. */
export const supportedMinors = ["1.35", "1.36", "1.37"] as const;

/** The default for new clusters. */
export const newestMinor = supportedMinors.at(-1)!;

/** The minor of a version: `1.37` of `1.37`, `1.37.1` and `1.37.1-1.1`. */
export const minorOf = (version: string): string => version.split(".").slice(0, 2).join(".");

/** True for a whole patch version as 1.37.1, false for a minor. */
export const isPatch = (version: string): boolean => semver.valid(version) === version;

/** A supported minor, `1.37`, or one of its patches, `1.37.1`. */
export const kubernetesVersion = z
  .string()
  .refine(
    (version) => isPatch(version) || isPatch(`${version}.0`),
    'must be a minor, as "1.37", or a patch, as "1.37.1"',
  )
  .refine(
    (version) =>
      !/^\d+\.\d+/.test(version) ||
      supportedMinors.includes(minorOf(version) as (typeof supportedMinors)[number]),
    `must be of a supported minor: ${supportedMinors.join(", ")}`,
  );

/**
 * The patch version to install.
 *
 * @param wanted a minor, for its newest patch, or a patch, which must be there
 * @param available Debian versions of kubeadm in the repository, as `1.37.1-1.1`; prereleases are passed over
 * @returns the version, or a sentence that says what is there instead
 */
export function resolveVersion(
  wanted: string,
  available: readonly string[],
): { version: string; fault?: undefined } | { version?: undefined; fault: string } {
  const patches = semver.sort(
    [...new Set(available.map(upstream))].filter(
      (version) => semver.prerelease(version) === null && isPatch(version),
    ),
  );
  const fitting = patches.filter((version) => version === wanted || minorOf(version) === wanted);
  const version = fitting.at(-1);
  if (version) return { version };
  const there =
    patches.length === 0 ? "has no kubeadm at all" : `has kubeadm ${patches.slice(-5).reverse().join(", ")}`;
  return { fault: `the package repository ${there}, not ${wanted}` };
}

/** What upstream calls the version of a Debian package: without epoch and revision, `~` before a prerelease as `-`. */
const upstream = (debianVersion: string): string =>
  debianVersion
    .replace(/^\d+:/, "")
    .replace(/-[^-]*$/, "")
    .replace("~", "-");

import { parseSettings, type SettingsInput } from "../../../kubeadm/settings.ts";
import type { StageSettings } from "../../../machine/stages/index.ts";

const key = `-----BEGIN PGP PUBLIC KEY BLOCK-----

bm8ga2V5LCBidXQgdGhlIGZvcm0gb2Ygb25l
-----END PGP PUBLIC KEY BLOCK-----
`;

const closedNetwork: SettingsInput = {
  name: "lab",
  kubernetesVersion: "1.37.1",
  controlPlanes: [{ name: "cp1", host: "10.0.0.11" }],
  workers: [{ name: "w1", host: "w1.example.com", clusterAddress: "10.0.0.21" }],
  packages: {
    kubernetes: { url: "http://mirror.example.com/kubernetes/v{minor}/deb/", keyFingerprint: "DE15 B144 86CD 377B 9E87  6E1A 2346 54DA 9A29 6436" },
    containerd: { url: "http://mirror.example.com/docker/{os}", key },
  },
  registryMirrors: {
    "registry.k8s.io": { endpoints: ["http://10.0.0.1:5000"] },
    "docker.io": {
      endpoints: ["https://harbor.example.com/v2/hub"],
      ca: "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----",
      fallback: true,
    },
  },
};

function stageSettings(input: SettingsInput): StageSettings {
  const { settings, faults } = parseSettings(input);
  if (!settings) throw new Error(JSON.stringify(faults));
  return { ...settings, owner: "school/monday/lab" };
}

/** A cluster of a closed network with everything that stages look at; its machines are `controlPlane` and `worker`. */
export const cluster = stageSettings(closedNetwork);
export const controlPlane = cluster.controlPlanes[0]!;
export const worker = cluster.workers[0]!;

/** The same with three control planes, and what stands before them: 10.0.0.100, which keepalived moves, unless it is told otherwise. */
export const threeControlPlanes = (endpoint: NonNullable<SettingsInput["endpoint"]> = { vip: "10.0.0.100" }): StageSettings =>
  stageSettings({
    ...closedNetwork,
    controlPlanes: ["10.0.0.11", "10.0.0.12", "10.0.0.13"].map((host, i) => ({ name: `cp${i + 1}`, host })),
    endpoint,
  });

/** Public keys of nobody: their form is all that is asked of them. */
export const publicKeys = {
  operator: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl teacher@desk",
  student: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGzcgYkbaRHp4ki+BKRsk4QmYDd4wJC/OV2wXs3LTLTs student@lab",
  helper: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDdl7nIyBFrcBgsDTP4Lsy5 it's \"hers\"",
};

/** A closed network with users who log in, reached as `ops`. */
export const withLogins: StageSettings = stageSettings({
  ...closedNetwork,
  ssh: { user: "ops", authorizedKeys: [publicKeys.operator] },
  logins: [
    { name: "student", sudo: true, authorizedKeys: [publicKeys.student] },
    { name: "helper", authorizedKeys: [publicKeys.helper] },
  ],
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networksOverlap, notKnownYet } from "../../../kubeadm/fields.ts";
import { parseSettings } from "../../../kubeadm/settings.ts";
import { sizeFault } from "../../../quorum/sizes.ts";

const minimal = { controlPlanes: [{ name: "cp1", host: "10.77.0.11" }] };
const pgp = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n…";

const parse = (raw: unknown) => parseSettings(raw, { controlPlaneSize: sizeFault });
const settingsOf = (raw: unknown) => {
  const { settings, faults } = parse(raw);
  expect(faults).toEqual([]);
  return settings!;
};

/** The minimal configuration with some settings more. */
const withSettings = (more: object) => ({ ...minimal, ...more });
/** The minimal configuration whose one machine has some settings more, or others. */
const withMachine = (more: object) => ({ controlPlanes: [{ ...minimal.controlPlanes[0], ...more }] });
const workers = (...list: object[]) => withSettings({ workers: list });
/** That many control planes, 10.77.0.11 and so on, with this before them. */
const several = (count: number, endpoint: object = { vip: "10.77.0.100" }) => ({
  controlPlanes: Array.from({ length: count }, (_, i) => ({ name: `cp${i + 1}`, host: `10.77.0.${11 + i}` })),
  endpoint,
});

describe("defaults", () => {
  it("make a whole configuration of one machine's name and address", () => {
    expect(settingsOf(minimal)).toEqual({
      name: "kubernetes",
      kubernetesVersion: "1.37",
      prepareTo: "cluster",
      ssh: {
        user: "root",
        port: 22,
        agent: true,
        hostKeys: "pin",
        knownHostsPath: "~/.ssh/known_hosts",
        authorizedKeys: [],
        connectTimeoutSeconds: 30,
      },
      logins: [],
      controlPlanes: [
        { name: "cp1", host: "10.77.0.11", clusterAddress: "10.77.0.11", labels: {}, taints: [] },
      ],
      workers: [],
      endpoint: { name: "kubernetes-api.internal", port: 6443 },
      etcd: { snapshotDirectory: "/var/lib/pulumi-kubeadm/snapshots", electionTimeoutMilliseconds: 1000 },
      network: { podSubnet: "10.244.0.0/16", serviceSubnet: "10.96.0.0/12", dnsDomain: "cluster.local" },
      kubeProxyMode: "iptables",
      flannel: {
        image: "ghcr.io/flannel-io/flannel:v0.28.9",
        cniPluginImage: "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3",
        vxlanPort: 8472,
      },
      packages: {
        kubernetes: {
          url: "https://pkgs.k8s.io/core:/stable:/v{minor}/deb/",
          suite: "/",
          components: [],
          keyUrl: "https://pkgs.k8s.io/core:/stable:/v{minor}/deb/Release.key",
        },
        containerd: {
          url: "https://download.docker.com/linux/{os}",
          suite: "{codename}",
          components: ["stable"],
          keyUrl: "https://download.docker.com/linux/{os}/gpg",
        },
      },
      imageRepository: "registry.k8s.io",
      registryMirrors: {},
      ignorePreflightErrors: [],
    });
  });

  it("do not use the agent when a key is given", () => {
    expect(settingsOf(withSettings({ ssh: { privateKeyPath: "~/.ssh/id_ed25519" } })).ssh.agent).toBe(false);
    expect(
      settingsOf(withSettings({ ssh: { bastion: { host: "b.example", privateKeyEnv: "KEY" } } })).ssh.bastion,
    ).toEqual({
      host: "b.example",
      port: 22,
      user: "root",
      privateKeyEnv: "KEY",
      agent: false,
    });
  });

  it("look for a mirror's key where upstream has it", () => {
    const { packages } = settingsOf(
      withSettings({
        packages: {
          kubernetes: { url: "https://mirror.example/k8s" },
          containerd: { url: "https://mirror.example/docker/" },
        },
      }),
    );
    expect(packages.kubernetes.keyUrl).toBe("https://mirror.example/k8s/Release.key");
    expect(packages.containerd.keyUrl).toBe("https://mirror.example/docker/gpg");
  });

  it.each([
    ["of the minimum", minimal],
    [
      "with everything that has more than one form",
      {
        ...withMachine({
          host: "cp1.example",
          clusterAddress: "10.0.0.1",
          hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ",
          taints: [{ key: "a/b", effect: "NoExecute" }],
        }),
        ssh: { privateKeyEnv: "KEY", passphraseEnv: "PASS", bastion: { host: "b.example" } },
        packages: {
          kubernetes: { url: "http://10.77.0.1/k", key: pgp },
          containerd: {
            url: "http://10.77.0.1/d",
            keyFingerprint: "DE15 B144 86CD 377B 9E87  6E1A 2346 54DA 9A29 6436".toLowerCase(),
          },
        },
        registryMirrors: { "registry.k8s.io": { endpoints: ["http://10.77.0.1:5000"] } },
      },
    ],
  ])("are filled in once: a result %s, validated again, is the same", (_, raw) => {
    const once = settingsOf(raw);
    expect(settingsOf(once)).toEqual(once);
  });

  it("write a fingerprint as gpg prints it without spaces", () => {
    const { containerd } = settingsOf(
      withSettings({
        packages: { containerd: { keyFingerprint: "de15 b144 86cd 377b 9e87  6e1a 2346 54da 9a29 6436" } },
      }),
    ).packages;
    expect(containerd.keyFingerprint).toBe("DE15B14486CD377B9E876E1A234654DA9A296436");
  });
});

describe("logins", () => {
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGzcgYkbaRHp4ki+BKRsk4QmYDd4wJC/OV2wXs3LTLTs";

  it("may do nothing as root unless they shall, and keep their keys as they are, without the ends of lines", () => {
    const { logins, ssh } = settingsOf(withSettings({ logins: [{ name: "student", authorizedKeys: [`${key} 김하늘\n`] }], ssh: { authorizedKeys: [key] } }));
    expect(logins).toEqual([{ name: "student", authorizedKeys: [`${key} 김하늘`], sudo: false }]);
    expect(ssh.authorizedKeys).toEqual([key]);
  });

  it.each([
    [{ name: "student", authorizedKeys: [] }, "logins[0].authorizedKeys", "must name at least one key: nobody logs in with a password"],
    [{ name: "Student", authorizedKeys: [key] }, "logins[0].name", "must be the name of a user: lower-case letters, digits, _ and -, at most 32, no digit first"],
    [{ name: "student", authorizedKeys: [`command="id" ${key}`] }, "logins[0].authorizedKeys[0]", 'must be one public key, as "ssh-ed25519 AAAA… comment", without options'],
    [{ name: "student", authorizedKeys: [`${key}\n${key}`] }, "logins[0].authorizedKeys[0]", 'must be one public key, as "ssh-ed25519 AAAA… comment", without options'],
    [{ name: "student", authorizedKeys: ["-----BEGIN OPENSSH PRIVATE KEY-----"] }, "logins[0].authorizedKeys[0]", 'must be one public key, as "ssh-ed25519 AAAA… comment", without options'],
  ])("refuse %o", (login, path, reason) => expect(parse(withSettings({ logins: [login] })).faults).toEqual([{ path, reason }]));

  it("are each there once", () => {
    const login = { name: "student", authorizedKeys: [key] };
    expect(parse(withSettings({ logins: [login, login] })).faults).toEqual([{ path: "logins[1].name", reason: "student is logins[0]'s already; write all keys of a user in one place" }]);
  });
});

describe("values that are known only during the update", () => {
  it("pass in the leaves of a machine", () => {
    const [machine] = settingsOf(withMachine({ host: notKnownYet, hostKey: notKnownYet })).controlPlanes;
    expect(machine).toMatchObject({ host: notKnownYet, clusterAddress: notKnownYet, hostKey: notKnownYet });
  });

  it("are no duplicates of each other", () => {
    settingsOf({ ...withMachine({ host: notKnownYet }), workers: [{ name: "w1", host: notKnownYet }] });
  });

  it("pass nowhere else", () => {
    expect(
      parse(withSettings({ name: `x${notKnownYet}x`, network: { podSubnet: notKnownYet } })).faults.map(
        ({ path }) => path,
      ),
    ).toEqual(["network.podSubnet"]);
  });
});

describe("the endpoint", () => {
  it.each<[string, object]>([
    ["three control planes and a free address", several(3)],
    ["one control plane that is to grow", several(1)],
    ["five control planes behind a balancer", several(5, { external: "192.0.2.9" })],
    ["a balancer's name", several(3, { name: "api.example", external: "api.example" })],
    ["one control plane behind its own public address", several(1, { external: "10.77.0.11" })],
  ])("may be %s", (_, raw) => expect(settingsOf(raw)).toMatchObject(raw));

  it("has all its faults told at once", () => {
    const { faults } = parse(several(2, { name: "a.example", vip: "10.77.0.11", external: "b.example" }));
    expect(faults.map(({ path }) => path).sort()).toEqual([
      "controlPlanes",
      "endpoint.external",
      "endpoint.external",
      "endpoint.vip",
    ]);
  });
});

describe("each fault names the setting and what is wanted", () => {
  it.each<[string, unknown, string, string | RegExp]>([
    ["nothing at all", undefined, "", "is required"],
    ["a list", [], "", "must be a group of settings"],
    ["no control plane", {}, "controlPlanes", "is required"],
    [
      "an empty control plane",
      { controlPlanes: [] },
      "controlPlanes",
      "a cluster needs a control plane: name one machine",
    ],
    ["two control planes", several(2), "controlPlanes", /^2 control planes need 2 alive/],
    ["four control planes", several(4), "controlPlanes", /^4 control planes need 3 alive/],
    [
      "three control planes with nothing before them",
      several(3, {}),
      "endpoint.vip",
      /^is required with 3 control planes, or endpoint\.external: /,
    ],
    [
      "two things before them",
      several(3, { vip: "10.77.0.100", external: "10.77.0.200" }),
      "endpoint.external",
      /^excludes vip/,
    ],
    ["a vip that is a name", several(3, { vip: "api.example" }), "endpoint.vip", /^must be an IPv4 address/],
    [
      "a control plane's address as vip",
      several(3, { vip: "10.77.0.12" }),
      "endpoint.vip",
      "10.77.0.12 is cp2's own address; it must be free, since it moves between the control planes",
    ],
    [
      "a worker's address as vip",
      {
        ...several(1, { vip: "10.77.0.21" }),
        workers: [{ name: "w1", host: "w1.example", clusterAddress: "10.77.0.21" }],
      },
      "endpoint.vip",
      /^10\.77\.0\.21 is w1's own address/,
    ],
    [
      "a vip in the pods' network",
      several(1, { vip: "10.244.0.9" }),
      "endpoint.vip",
      "10.244.0.9 lies in the pods' network 10.244.0.0/16; choose another network for them",
    ],
    [
      "a balancer in the services' network",
      several(3, { external: "10.96.0.1" }),
      "endpoint.external",
      /^10\.96\.0\.1 lies in the services' network/,
    ],
    [
      "a balancer that is one of several control planes",
      several(3, { external: "10.77.0.11" }),
      "endpoint.external",
      "10.77.0.11 is cp1's own address; the API would be lost with it. Give a balancer's",
    ],
    [
      "a balancer with a name of its own",
      several(3, { external: "api.example" }),
      "endpoint.external",
      /^api\.example must be endpoint\.name too, which is kubernetes-api\.internal: /,
    ],
    [
      "a balancer that is neither address nor name",
      several(3, { external: "https://api.example" }),
      "endpoint.external",
      "must be an IPv4 address, as 10.0.0.11, or a DNS name in lower case",
    ],
    [
      "an election timeout in seconds",
      withSettings({ etcd: { electionTimeoutMilliseconds: 5 } }),
      "etcd.electionTimeoutMilliseconds",
      "must be 1000 to 10000",
    ],
    [
      "snapshots in a relative directory",
      withSettings({ etcd: { snapshotDirectory: "snapshots" } }),
      "etcd.snapshotDirectory",
      /^must be an absolute path/,
    ],
    [
      "snapshots outside of where they seem to be",
      withSettings({ etcd: { snapshotDirectory: "/var/backups/../lib/etcd" } }),
      "etcd.snapshotDirectory",
      /^must be an absolute path/,
    ],
    [
      "snapshots in what a reset removes",
      withSettings({ etcd: { snapshotDirectory: "/var/lib/etcd/snapshots" } }),
      "etcd.snapshotDirectory",
      /^must not lie in \/var\/lib\/etcd, /,
    ],
    [
      "an unknown key",
      withSettings({ wrokers: [] }),
      "wrokers",
      /^is no setting; did you mean workers\? Known here: name, kubernetesVersion, /,
    ],
    ["an unknown key in a group", withSettings({ ssh: { usr: "x" } }), "ssh.usr", /did you mean user\?/],
    [
      "an unknown key in a list",
      workers({ name: "w1", host: "10.0.0.9", adres: "x" }),
      "workers[0].adres",
      /^is no setting\. Known here: name, host, port, /,
    ],
    ["a key that is like none", withSettings({ zzz: 1 }), "zzz", /^is no setting\. Known here: /],
    [
      "a number for a version",
      withSettings({ kubernetesVersion: 1.37 }),
      "kubernetesVersion",
      "must be text: put it in quotes",
    ],
    [
      "a version that is none",
      withSettings({ kubernetesVersion: "latest" }),
      "kubernetesVersion",
      'must be a minor, as "1.37", or a patch, as "1.37.1"',
    ],
    [
      "an old version",
      withSettings({ kubernetesVersion: "1.34.3" }),
      "kubernetesVersion",
      "must be of a supported minor: 1.35, 1.36, 1.37",
    ],
    [
      "a future version",
      withSettings({ kubernetesVersion: "1.38" }),
      "kubernetesVersion",
      "must be of a supported minor: 1.35, 1.36, 1.37",
    ],
    [
      "a machine without a name",
      { controlPlanes: [{ host: "10.0.0.1" }] },
      "controlPlanes[0].name",
      "is required",
    ],
    ["a name with an underscore", withMachine({ name: "cp_1" }), "controlPlanes[0].name", /RFC 1123/],
    ["a name in capitals", withMachine({ name: "CP1" }), "controlPlanes[0].name", /RFC 1123/],
    ["a name of 64 letters", withMachine({ name: "a".repeat(64) }), "controlPlanes[0].name", /RFC 1123/],
    [
      "a machine without a host",
      { controlPlanes: [{ name: "cp1" }] },
      "controlPlanes[0].host",
      "is required",
    ],
    [
      "a host that is none",
      withMachine({ host: "10.0.0", clusterAddress: "10.0.0.1" }),
      "controlPlanes[0].host",
      "must be an IP address or a DNS name",
    ],
    [
      "a host with a leading zero",
      withMachine({ host: "10.0.0.011", clusterAddress: "10.0.0.1" }),
      "controlPlanes[0].host",
      "must be an IP address or a DNS name",
    ],
    [
      "a DNS name without a cluster address",
      withMachine({ host: "cp1.example" }),
      "controlPlanes[0].clusterAddress",
      /^is required when host is no IPv4 address/,
    ],
    [
      "an IPv6 host without a cluster address",
      withMachine({ host: "fd00::1" }),
      "controlPlanes[0].clusterAddress",
      /^is required when host is no IPv4 address/,
    ],
    [
      "a cluster address that is a name",
      withMachine({ clusterAddress: "cp1" }),
      "controlPlanes[0].clusterAddress",
      "must be an IPv4 address, as 10.0.0.11",
    ],
    [
      "a port that is none",
      withMachine({ port: 70000 }),
      "controlPlanes[0].port",
      "must be a port, 1 to 65535",
    ],
    [
      "a host key that is none",
      withMachine({ hostKey: "AAAA" }),
      "controlPlanes[0].hostKey",
      /must be a public host key/,
    ],
    [
      "a label that is none",
      withMachine({ labels: { "a/b/c": "x" } }),
      'controlPlanes[0].labels["a/b/c"]',
      /must be a Kubernetes key/,
    ],
    [
      "a label's value that is none",
      withMachine({ labels: { role: "a b" } }),
      "controlPlanes[0].labels.role",
      /^must be at most 63 letters/,
    ],
    [
      "a taint without an effect",
      withMachine({ taints: [{ key: "a" }] }),
      "controlPlanes[0].taints[0].effect",
      "must be one of NoSchedule, PreferNoSchedule, NoExecute",
    ],
    [
      "a name twice",
      workers({ name: "cp1", host: "10.77.0.21" }),
      "workers[0].name",
      "cp1 is cp1's already; each machine needs its own",
    ],
    [
      "a host twice",
      workers({ name: "w1", host: "10.77.0.11", clusterAddress: "10.77.0.21" }),
      "workers[0].host",
      "10.77.0.11 is cp1's already; each machine needs its own",
    ],
    [
      "a cluster address twice",
      workers({ name: "w1", host: "w1.example", clusterAddress: "10.77.0.11" }),
      "workers[0].clusterAddress",
      "10.77.0.11 is cp1's already; each machine needs its own",
    ],
    [
      "networks that overlap",
      withSettings({ network: { podSubnet: "10.100.0.0/16" } }),
      "network.serviceSubnet",
      "10.96.0.0/12 overlaps the pods' network 10.100.0.0/16; choose networks that are apart",
    ],
    [
      "a network with host bits",
      withSettings({ network: { podSubnet: "10.244.1.0/16" } }),
      "network.podSubnet",
      /without host bits/,
    ],
    [
      "a network that is none",
      withSettings({ network: { serviceSubnet: "10.96.0.0" } }),
      "network.serviceSubnet",
      /must be an IPv4 network/,
    ],
    [
      "an IPv6 network",
      withSettings({ network: { podSubnet: "fd00::/48" } }),
      "network.podSubnet",
      /must be an IPv4 network/,
    ],
    [
      "a services' network that is too large",
      withSettings({ network: { serviceSubnet: "172.0.0.0/8" } }),
      "network.serviceSubnet",
      "172.0.0.0/8 must be a /12 to a /28",
    ],
    [
      "a services' network that is too small",
      withSettings({ network: { serviceSubnet: "172.16.0.0/29" } }),
      "network.serviceSubnet",
      "172.16.0.0/29 must be a /12 to a /28",
    ],
    [
      "a pods' network without room for all",
      { ...workers({ name: "w1", host: "10.77.0.21" }), network: { podSubnet: "10.244.0.0/24" } },
      "network.podSubnet",
      "10.244.0.0/24 has room for 1 nodes (a /24 each), and there are 2",
    ],
    [
      "a machine in the pods' network",
      withMachine({ host: "10.244.3.1" }),
      "controlPlanes[0].host",
      "10.244.3.1 lies in the pods' network 10.244.0.0/16; choose another network for them",
    ],
    [
      "a machine in the services' network",
      withMachine({ host: "cp1.example", clusterAddress: "10.96.0.9" }),
      "controlPlanes[0].clusterAddress",
      "10.96.0.9 lies in the services' network 10.96.0.0/12; choose another network for them",
    ],
    [
      "an endpoint that is an address",
      withSettings({ endpoint: { name: "10.0.0.1" } }),
      "endpoint.name",
      /must be a DNS name/,
    ],
    [
      "an endpoint that is a machine",
      withSettings({ endpoint: { name: "cp1" } }),
      "endpoint.name",
      "cp1 is cp1's own name; the API needs a name that can move to another machine",
    ],
    [
      "a kube-proxy mode that is going",
      withSettings({ kubeProxyMode: "ipvs" }),
      "kubeProxyMode",
      "must be one of iptables, nftables",
    ],
    [
      "an image without a tag",
      withSettings({ flannel: { image: "ghcr.io/flannel-io/flannel" } }),
      "flannel.image",
      /with its registry and a tag/,
    ],
    ["a tiny MTU", withSettings({ flannel: { mtu: 100 } }), "flannel.mtu", "must be 576 to 65535"],
    [
      "a key and the agent",
      withSettings({ ssh: { privateKeyPath: "k", agent: true } }),
      "ssh.agent",
      "excludes privateKeyPath: give one of privateKeyPath, privateKeyEnv and agent",
    ],
    [
      "two keys",
      withSettings({ ssh: { privateKeyPath: "k", privateKeyEnv: "K" } }),
      "ssh.privateKeyEnv",
      "excludes privateKeyPath: give one of privateKeyPath, privateKeyEnv and agent",
    ],
    [
      "neither key nor agent",
      withSettings({ ssh: { agent: false } }),
      "ssh.agent",
      /no way to log in is left/,
    ],
    [
      "a passphrase for the agent",
      withSettings({ ssh: { passphraseEnv: "P" } }),
      "ssh.passphraseEnv",
      /^is for a private key/,
    ],
    [
      "a bastion with two ways in",
      withSettings({ ssh: { bastion: { host: "b.example", privateKeyPath: "k", agent: true } } }),
      "ssh.bastion.agent",
      /^excludes privateKeyPath/,
    ],
    [
      "a key's text for a variable's name",
      withSettings({ ssh: { privateKeyEnv: "-----BEGIN OPENSSH PRIVATE KEY-----" } }),
      "ssh.privateKeyEnv",
      "must be the NAME of an environment variable, never the secret itself",
    ],
    [
      "a password for a variable's name",
      withSettings({ ssh: { sudoPasswordEnv: "hunter 2" } }),
      "ssh.sudoPasswordEnv",
      "must be the NAME of an environment variable, never the secret itself",
    ],
    [
      "no host key check",
      withSettings({ ssh: { hostKeys: "ignore" } }),
      "ssh.hostKeys",
      "must be one of known_hosts, pin",
    ],
    [
      "a repository that is no address",
      withSettings({ packages: { kubernetes: { url: "pkgs.k8s.io" } } }),
      "packages.kubernetes.url",
      "must be an http:// or https:// address",
    ],
    [
      "a repository over http without a key",
      withSettings({ packages: { kubernetes: { url: "http://10.0.0.1/k" } } }),
      "packages.kubernetes.key",
      /^would be fetched over plain http/,
    ],
    [
      "a key fetched over http",
      withSettings({ packages: { containerd: { keyUrl: "http://10.0.0.1/gpg" } } }),
      "packages.containerd.keyUrl",
      /^would be fetched over plain http/,
    ],
    [
      "a key and where to fetch it",
      withSettings({ packages: { containerd: { keyUrl: "https://x.example/gpg", key: pgp } } }),
      "packages.containerd.keyUrl",
      "excludes key: give the key or where it is fetched from",
    ],
    [
      "a key that is a path",
      withSettings({ packages: { containerd: { key: "/etc/key" } } }),
      "packages.containerd.key",
      "must be the text of an armored OpenPGP public key",
    ],
    [
      "a short fingerprint",
      withSettings({ packages: { containerd: { keyFingerprint: "9A296436" } } }),
      "packages.containerd.keyFingerprint",
      "must be the whole fingerprint, 40 hexadecimal digits",
    ],
    [
      "an image repository with a scheme",
      withSettings({ imageRepository: "https://registry.k8s.io" }),
      "imageRepository",
      /without https/,
    ],
    [
      "a mirror of an address",
      withSettings({ registryMirrors: { "https://ghcr.io": { endpoints: ["http://m"] } } }),
      'registryMirrors["https://ghcr.io"]',
      "must be a registry's host, as registry.k8s.io",
    ],
    [
      "a mirror without an endpoint",
      withSettings({ registryMirrors: { "ghcr.io": { endpoints: [] } } }),
      'registryMirrors["ghcr.io"].endpoints',
      "must name at least one address",
    ],
    [
      "a mirror's CA that is a path",
      withSettings({ registryMirrors: { "ghcr.io": { endpoints: ["https://m"], ca: "/ca.pem" } } }),
      'registryMirrors["ghcr.io"].ca',
      "must be the text of a PEM certificate",
    ],
    [
      "a waiver of everything",
      withSettings({ ignorePreflightErrors: ["All"] }),
      "ignorePreflightErrors[0]",
      /^must name single checks/,
    ],
    [
      "a waiver that is no name",
      withSettings({ ignorePreflightErrors: ["NumCPU, Mem"] }),
      "ignorePreflightErrors[0]",
      "must be the name of a check, as NumCPU",
    ],
  ])("%s", (_, raw, path, reason) => {
    const { settings, faults } = parse(raw);
    expect(settings).toBeUndefined();
    expect(faults).toHaveLength(1);
    expect(faults[0]!.path).toBe(path);
    expect(faults[0]!.reason).toMatch(reason);
  });
});

describe("faults", () => {
  it("are told all at once, of the schema and of what settings mean together", () => {
    const { faults } = parse({
      ...withMachine({ port: 0 }),
      wrokers: [],
      workers: [{ name: "cp1", host: "w1.example" }],
      network: { podSubnet: "10.96.0.0/16" },
      ssh: { agent: false },
    });
    expect(faults.map(({ path }) => path).sort()).toEqual(
      [
        "controlPlanes[0].port",
        "network.serviceSubnet",
        "ssh.agent",
        "workers[0].clusterAddress",
        "workers[0].name",
        "wrokers",
      ].sort(),
    );
  });

  it("do not come from one address with two ports, as behind NAT", () => {
    settingsOf({
      ...withMachine({ host: "nat.example", port: 2201, clusterAddress: "10.0.0.1" }),
      workers: [{ name: "w1", host: "nat.example", port: 2202, clusterAddress: "10.0.0.2" }],
    });
  });

  it("do not come from a repository over http whose key comes from elsewhere", () => {
    settingsOf(
      withSettings({
        packages: {
          kubernetes: { url: "http://10.0.0.1/k", keyUrl: "https://keys.example/k" },
          containerd: { url: "http://10.0.0.1/d", key: pgp },
        },
      }),
    );
  });

  it("never end in an exception, whatever is written", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (machine, anything) => {
        expect(parse(anything).settings).toBeUndefined();
        parse({
          controlPlanes: [machine],
          workers: anything,
          ssh: anything,
          endpoint: anything,
          etcd: anything,
          network: anything,
          packages: { kubernetes: machine },
          registryMirrors: anything,
        });
      }),
    );
  });
});

describe("networks", () => {
  const network = fc.tuple(fc.nat(0xffffffff), fc.integer({ min: 1, max: 32 })).map(([bits, prefix]) => {
    const base = (prefix === 32 ? bits : bits & ~(2 ** (32 - prefix) - 1)) >>> 0;
    return {
      base,
      size: 2 ** (32 - prefix),
      text: `${[24, 16, 8, 0].map((shift) => (base >>> shift) & 255).join(".")}/${prefix}`,
    };
  });

  it("overlap when one's first address lies in the other", () => {
    fc.assert(
      fc.property(network, network, (a, b) => {
        const overlap = a.base < b.base + b.size && b.base < a.base + a.size;
        expect(networksOverlap(a.text, b.text)).toBe(overlap);
      }),
    );
  });
});

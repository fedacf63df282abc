import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../kubeadm/settings.ts";
import { parseFacts, preflightEnvironment } from "../../../machine/preflight/facts.ts";
import { imageProbes } from "../../../machine/preflight/registries.ts";
import { healthy, settings } from "./observation.ts";

const official = parseSettings({ controlPlanes: [{ name: "cp1", host: "10.0.0.1" }] }).settings!;
const owner = "kube/dev/lab";
const lines = (text: string | undefined) => text!.split("\n");

describe("what a machine is asked", () => {
  it("are the official repositories and registries by default", () => {
    expect(preflightEnvironment(official, owner)).toEqual({
      OWNER: owner,
      APT_FILES: [
        "kubernetes https://pkgs.k8s.io/core:/stable:/v1.37/deb/InRelease",
        "containerd https://download.docker.com/linux/{os}/dists/{codename}/InRelease",
      ].join("\n"),
      KUBEADM_INDEX: "https://pkgs.k8s.io/core:/stable:/v1.37/deb/Packages",
      WEB_ADDRESSES: [
        "https://registry.k8s.io/v2/",
        "https://ghcr.io/v2/flannel-io/flannel/manifests/v0.28.9",
        "https://ghcr.io/v2/flannel-io/flannel-cni-plugin/manifests/v1.9.1-flannel3",
      ].join("\n"),
      CA_CERTIFICATES: "",
      ENDPOINT_VIP: "",
      ENDPOINT_NAME: "",
    });
  });

  it.each<[object, object]>([
    [{ vip: "10.0.0.100" }, { ENDPOINT_VIP: "10.0.0.100", ENDPOINT_NAME: "" }],
    [{ external: "10.0.0.200" }, { ENDPOINT_VIP: "", ENDPOINT_NAME: "" }],
    [{ name: "api.example", external: "api.example" }, { ENDPOINT_VIP: "", ENDPOINT_NAME: "api.example" }],
  ])("is with the endpoint %o, %o", (endpoint, asked) =>
    expect(preflightEnvironment(parseSettings({ ...official, endpoint }).settings!, owner)).toMatchObject(asked),
  );

  it("is the apiserver's image once the patch version is known, which is that of the state and not that of the settings", () => {
    expect(lines(preflightEnvironment(official, owner, "1.36.5").WEB_ADDRESSES)[0]).toBe(
      "https://registry.k8s.io/v2/kube-apiserver/manifests/v1.36.5",
    );
    expect(preflightEnvironment(official, owner, "1.36.5").KUBEADM_INDEX).toBe(
      "https://pkgs.k8s.io/core:/stable:/v1.36/deb/Packages",
    );
  });

  it("are only the mirrors on a closed network", () => {
    expect(lines(preflightEnvironment(settings, owner).WEB_ADDRESSES)).toEqual([
      "http://10.77.0.1:5000/v2/kube-apiserver/manifests/v1.37.1",
      "http://10.77.0.1:5000/v2/flannel-io/flannel/manifests/v0.28.9",
      "http://10.77.0.1:5000/v2/flannel-io/flannel-cni-plugin/manifests/v1.9.1-flannel3",
    ]);
  });

  it("is the index of the machine's processor in a repository with suites", () => {
    const packages = {
      kubernetes: { url: "https://m.example/k8s/", suite: "{codename}", components: ["main"] },
    };
    const { APT_FILES, KUBEADM_INDEX } = preflightEnvironment(
      parseSettings({ ...official, packages }).settings!,
      owner,
    );
    expect(lines(APT_FILES)[0]).toBe("kubernetes https://m.example/k8s/dists/{codename}/InRelease");
    expect(KUBEADM_INDEX).toBe("https://m.example/k8s/dists/{codename}/main/binary-{architecture}/Packages");
  });

  it("is with the mirrors' own CAs", () => {
    const ca = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----";
    const registryMirrors = { "ghcr.io": { endpoints: ["https://m.example"], ca } };
    expect(
      preflightEnvironment(parseSettings({ ...official, registryMirrors }).settings!, owner).CA_CERTIFICATES,
    ).toBe(ca);
  });
});

describe("addresses of images", () => {
  const urlsOf = (image: string, registryMirrors = {}) => {
    const { settings: parsed, faults } = parseSettings({ ...official, flannel: { image }, registryMirrors });
    expect(faults).toEqual([]);
    return imageProbes(parsed!, undefined)[1]!.urls;
  };
  const digest = `sha256:${"0".repeat(64)}`;

  it.each<[string, string, object, string[]]>([
    [
      "with a port",
      "registry.example:5000/a/b:v1",
      {},
      ["https://registry.example:5000/v2/a/b/manifests/v1"],
    ],
    ["with a digest", `ghcr.io/a/b@${digest}`, {}, [`https://ghcr.io/v2/a/b/manifests/${digest}`]],
    [
      "with a tag and a digest",
      `ghcr.io/a/b:v1@${digest}`,
      {},
      [`https://ghcr.io/v2/a/b/manifests/${digest}`],
    ],
    [
      "of Docker Hub",
      "docker.io/flannel/flannel:v1",
      {},
      ["https://registry-1.docker.io/v2/flannel/flannel/manifests/v1"],
    ],
    [
      "behind a mirror",
      "ghcr.io/a:v1",
      { "ghcr.io": { endpoints: ["http://m:5000/"] } },
      ["http://m:5000/v2/a/manifests/v1"],
    ],
    [
      "behind a mirror that may ask upstream",
      "ghcr.io/a:v1",
      { "ghcr.io": { endpoints: ["http://m:5000"], fallback: true } },
      ["http://m:5000/v2/a/manifests/v1", "https://ghcr.io/v2/a/manifests/v1"],
    ],
    [
      "behind a mirror in a path",
      "ghcr.io/a:v1",
      { "ghcr.io": { endpoints: ["https://m/ghcr", "https://n/x/v2"] } },
      ["https://m/ghcr/v2/a/manifests/v1", "https://n/x/v2/a/manifests/v1"],
    ],
    [
      "behind another's mirror",
      "ghcr.io/a:v1",
      { "quay.io": { endpoints: ["http://m"] } },
      ["https://ghcr.io/v2/a/manifests/v1"],
    ],
  ])("%s", (_, image, mirrors, urls) => expect(urlsOf(image, mirrors)).toEqual(urls));
});

describe("what a machine answers", () => {
  it("is taken as the script prints it, with what ip leaves out filled in", () => {
    const document = {
      ...healthy("10.0.0.1"),
      addresses: [{}, { ifname: "tun0", link_type: "none", addr_info: [{}] }],
      routes: [{ dst: "default", gateway: "10.0.0.254" }],
    };
    const facts = parseFacts(document);
    expect(facts.addresses).toEqual([
      { ifname: "", address: "", addr_info: [] },
      { ifname: "tun0", address: "", addr_info: [{}] },
    ]);
    expect(facts.routes).toEqual([{ dst: "default", dev: "" }]);
  });

  it("is refused when it is something else", () => {
    expect(() => parseFacts({ ...healthy("10.0.0.1"), cpus: "2" })).toThrow(/cpus/);
    expect(() => parseFacts({})).toThrow();
  });
});

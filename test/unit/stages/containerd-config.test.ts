import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { containerdConfig, registryHosts } from "../../../machine/stages/containerd-config.ts";

describe("containerd's configuration", () => {
  const config = containerdConfig("registry.k8s.io/pause:3.10.2");

  it("starts with a version, without which containerd passes over it", () => expect(config).toMatch(/^#.*\nversion = 3\n/));

  it("has the systemd cgroup driver, the sandbox image and the CNI directories where containerd 2.x looks", () => {
    expect(parse(config)).toMatchObject({
      plugins: {
        "io.containerd.cri.v1.images": { pinned_images: { sandbox: "registry.k8s.io/pause:3.10.2" }, registry: { config_path: "/etc/containerd/certs.d" } },
        "io.containerd.cri.v1.runtime": {
          cni: { bin_dirs: ["/opt/cni/bin"], conf_dir: "/etc/cni/net.d" },
          containerd: { runtimes: { runc: { runtime_type: "io.containerd.runc.v2", options: { SystemdCgroup: true } } } },
        },
      },
    });
  });
});

describe("hosts.toml of a registry with mirrors", () => {
  it("names a mirror as the server too, so that the upstream is never asked", () => {
    expect(parse(registryHosts("ghcr.io", { endpoints: ["http://a:5000", "http://b:5000"], fallback: false }))).toEqual({
      server: "http://b:5000",
      host: {
        "http://a:5000": { capabilities: ["pull", "resolve"] },
        "http://b:5000": { capabilities: ["pull", "resolve"] },
      },
    });
  });

  it("names the upstream as the server when it may be asked", () => {
    expect(parse(registryHosts("registry.k8s.io", { endpoints: ["http://a"], fallback: true }))).toMatchObject({ server: "https://registry.k8s.io" });
    expect(parse(registryHosts("docker.io", { endpoints: ["http://a"], fallback: true }))).toMatchObject({ server: "https://registry-1.docker.io" });
  });

  it("has the mirrors' CA for each of them, and takes a path with the API's version as it is", () => {
    const ca = "/etc/containerd/certs.d/docker.io/ca.crt";
    expect(parse(registryHosts("docker.io", { endpoints: ["https://harbor/v2/hub"], ca: "PEM", fallback: false }))).toEqual({
      server: "https://harbor/v2/hub",
      ca,
      override_path: true,
      host: { "https://harbor/v2/hub": { capabilities: ["pull", "resolve"], ca, override_path: true } },
    });
  });
});

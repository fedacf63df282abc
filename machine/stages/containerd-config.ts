import { stringify } from "smol-toml";
import type { RegistryMirror } from "../../kubeadm/settings.ts";

/** Where containerd listens. */
export const runtimeSocket = "/run/containerd/containerd.sock";

/** Where containerd finds what is said of single registries. */
export const registryDirectory = "/etc/containerd/certs.d";

/**
 * The whole of containerd's config.toml. `version = 3` is understood by every 2.x; without that line, or with the table names of
 * another version, containerd passes over the settings in silence:
 * https://github.com/containerd/containerd/blob/main/docs/cri/config.md
 *
 * @param sandboxImage image that holds a pod's namespaces: the pause image that kubeadm lists
 */
export function containerdConfig(sandboxImage: string): string {
  return `# Written by pulumi-kubeadm; what is changed here is put back by the next \`pulumi up\`.\n${stringify({
    version: 3,
    root: "/var/lib/containerd",
    state: "/run/containerd",
    plugins: {
      "io.containerd.cri.v1.images": {
        snapshotter: "overlayfs",
        pinned_images: { sandbox: sandboxImage },
        registry: { config_path: registryDirectory },
      },
      "io.containerd.cri.v1.runtime": {
        // Debian's own containerd looks elsewhere; kubernetes-cni and flannel install here.
        cni: { bin_dirs: ["/opt/cni/bin"], conf_dir: "/etc/cni/net.d" },
        containerd: {
          default_runtime_name: "runc",
          runtimes: { runc: { runtime_type: "io.containerd.runc.v2", options: { SystemdCgroup: true } } },
        },
      },
    },
  })}`;
}

/** crictl's configuration: without it, crictl tries several runtimes' sockets at every call. */
export const crictlConfig = `runtime-endpoint: unix://${runtimeSocket}
image-endpoint: unix://${runtimeSocket}
timeout: 10
`;

/**
 * hosts.toml of one registry: https://github.com/containerd/containerd/blob/main/docs/hosts.md
 *
 * @param registry host, with its port if it has one
 */
export function registryHosts(registry: string, mirror: RegistryMirror): string {
  const ca = mirror.ca === undefined ? {} : { ca: `${registryDirectory}/${registry}/ca.crt` };
  const host = Object.fromEntries(mirror.endpoints.map((endpoint) => [endpoint, { capabilities: ["pull", "resolve"], ...ca, ...path(endpoint) }]));
  // `server` is asked when no mirror has the image. Where the upstream must not be asked, a mirror stands there too.
  const last = mirror.endpoints.at(-1)!;
  const server = mirror.fallback ? { server: upstream(registry) } : { server: last, ...ca, ...path(last) };
  return stringify({ ...server, host }) + "\n";
}

/** An address with the API's version inside its path, as https://harbor.example.com/v2/proxy, is taken as it is. */
const path = (endpoint: string) => (new URL(endpoint).pathname.includes("/v2/") ? { override_path: true } : {});

/** Docker Hub answers under another name than its images have. */
const upstream = (registry: string) => `https://${registry === "docker.io" ? "registry-1.docker.io" : registry}`;

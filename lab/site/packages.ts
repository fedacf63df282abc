import { join } from "node:path";
import { versions } from "../versions.ts";
import type { Deb } from "./deb.ts";

/** Where the built programs lie, by the name of their Go source. */
export type Tools = Record<"kubernetes" | "cri-tools" | "cni-plugins" | "containerd", string> & { readonly runc: string };

/** Revision of the packages of pkgs.k8s.io. */
const revision = "1.1";

const kubeletUnit = `[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`;

// The file names and variables are kubeadm's: https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/kubelet-integration/
const kubeadmDropIn = `[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

const containerdUnit = `[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target dbus.service

[Service]
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`;

// As in the official package: the unit is there, neither enabled nor started.
const kubeletScripts = {
  postinst: `#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload >/dev/null || true
  [ -z "$2" ] || systemctl try-restart kubelet.service >/dev/null || true
fi
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl --no-reload disable --now kubelet.service >/dev/null 2>&1 || true
fi
`,
  postrm: `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload >/dev/null || true
fi
`,
};

// Docker's package enables and starts its service, and ships a configuration that switches the CRI plugin off.
const containerdScripts = {
  postinst: `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  deb-systemd-helper unmask containerd.service >/dev/null || true
  deb-systemd-helper enable containerd.service >/dev/null || true
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    # Started when installed, restarted when upgraded.
    deb-systemd-invoke "$([ -n "$2" ] && echo restart || echo start)" containerd.service >/dev/null || true
  fi
fi
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  deb-systemd-invoke stop containerd.service >/dev/null || true
fi
`,
  postrm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ]; then
  deb-systemd-helper purge containerd.service >/dev/null || true
fi
`,
};

/** The packages of pkgs.k8s.io, with the same paths and dependencies. */
export function kubernetesPackages(tools: Tools): Deb[] {
  const version = `${versions.kubernetes}-${revision}`;
  return [
    {
      name: "kubeadm",
      version,
      description: "Command-line utility for administering a Kubernetes cluster",
      programs: { "usr/bin/kubeadm": join(tools.kubernetes, "kubeadm") },
      texts: { "usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf": kubeadmDropIn },
    },
    {
      name: "kubelet",
      version,
      description: "Node agent for Kubernetes clusters",
      depends: ["iptables (>= 1.4.21)", "kubernetes-cni (>= 1.2.0)", "mount", "util-linux"],
      programs: { "usr/bin/kubelet": join(tools.kubernetes, "kubelet") },
      texts: { "usr/lib/systemd/system/kubelet.service": kubeletUnit, "etc/default/kubelet": "KUBELET_EXTRA_ARGS=\n", "etc/kubernetes/manifests/.kubelet-keep": "", "var/lib/kubelet/.kubelet-keep": "" },
      conffiles: ["/etc/default/kubelet"],
      scripts: kubeletScripts,
    },
    kubectl(tools, version),
    {
      name: "cri-tools",
      version: `${versions.criTools}-${revision}`,
      description: "Command-line utility for interacting with a container runtime",
      programs: { "usr/bin/crictl": join(tools["cri-tools"], "crictl") },
    },
    {
      name: "kubernetes-cni",
      version: `${versions.cniPlugins}-${revision}`,
      description: "Binaries required to provision container networking",
      programs: Object.fromEntries(
        ["bandwidth", "bridge", "firewall", "host-local", "loopback", "portmap", "ptp", "tuning"].map((plugin) => [`opt/cni/bin/${plugin}`, join(tools["cni-plugins"], plugin)]),
      ),
      texts: { "etc/cni/net.d/.kubernetes-cni-keep": "" },
    },
  ];
}

/** A newer revision of one package, as a site's mirror gets it one day; for the test of an upgrade that nobody asked for. */
export const newerKubectl = (tools: Tools): Deb => kubectl(tools, `${versions.kubernetes}-2.1`);

function kubectl(tools: Tools, version: string): Deb {
  return {
    name: "kubectl",
    version,
    description: "Command-line utility for interacting with a Kubernetes cluster",
    programs: { "usr/bin/kubectl": join(tools.kubernetes, "kubectl") },
  };
}

/** Docker's package of containerd: runc is inside. */
export function containerdPackage(tools: Tools): Deb {
  return {
    name: "containerd.io",
    version: `${versions.containerd}-1~debian.13~${versions.debian}`,
    description: "An open and reliable container runtime",
    depends: ["libc6 (>= 2.34)", "libseccomp2 (>= 2.5.0)"],
    conflicts: ["containerd", "runc"],
    replaces: ["containerd", "runc"],
    provides: ["containerd", "runc"],
    programs: {
      ...Object.fromEntries(["containerd", "containerd-shim-runc-v2", "ctr"].map((program) => [`usr/bin/${program}`, join(tools.containerd, program)])),
      "usr/bin/runc": tools.runc,
    },
    texts: { "usr/lib/systemd/system/containerd.service": containerdUnit, "etc/containerd/config.toml": 'disabled_plugins = ["cri"]\n' },
    conffiles: ["/etc/containerd/config.toml"],
    scripts: containerdScripts,
  };
}

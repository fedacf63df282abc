/**
 * Every version of the lab, in one table: what the mirror holds and what the tools are. The Go modules among them are pinned with
 * their checksums in lab/sources/<name>/go.mod and go.sum; a unit test holds the two against each other.
 */
export const versions = {
  kubernetes: "1.37.1",
  etcd: "3.7.0",
  coredns: "1.14.6",
  /** The tag that `kubeadm config images list` names. */
  pause: "3.10.2",
  flannel: "0.28.9",
  /** The tag that flannel's own manifest names for its CNI plugin's image. */
  flannelCniImage: "1.9.1-flannel3",
  /** Last release of the module that contains flannel's CNI plugin. */
  flannelCni: "0.9.1",
  cniPlugins: "1.9.1",
  criTools: "1.36.0",
  containerd: "2.3.7",
  crane: "0.22.1",
  pulumi: "3.259.0",
  /** The last Node language host inside the SDK's module; it works with newer CLIs. */
  pulumiLanguageNodejs: "3.60.0",
  /** Debian release of machines, image bases and packages. */
  debian: "trixie",
  /** Lowest Go release that builds all of them. */
  go: "1.26.8",
} as const;

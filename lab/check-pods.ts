import { ssh } from "./api.ts";
import { machineNamed } from "./machines.ts";

/** One pod per node that serves its node's name, and a Service in front of them. */
const manifest = (nodes: readonly string[]) => `
apiVersion: v1
kind: Service
metadata: {name: toolbox}
spec: {selector: {app: toolbox}, ports: [{port: 80}]}
${nodes
  .map(
    (node) => `---
apiVersion: v1
kind: Pod
metadata: {name: toolbox-${node}, labels: {app: toolbox}}
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 0
  tolerations: [{operator: Exists}]
  containers:
  - name: toolbox
    image: docker.io/library/toolbox:1
    command: [sh, -c, "mkdir /www && echo ${node} > /www/index.html && exec busybox httpd -f -p 80 -h /www"]
`,
  )
  .join("")}`;

/**
 * Proves the pod network: on every node a pod that reaches the pod on every other node, and the Service by its name through CoreDNS.
 *
 * @param controlPlane the machine on which kubectl runs
 * @returns one line per proof
 * @throws Error with what kubectl said
 */
export async function checkPods(controlPlane: string, nodes: readonly string[], deadlineSeconds = 240): Promise<string[]> {
  const machine = machineNamed(controlPlane);
  const script = `
set -e
export KUBECONFIG=/etc/kubernetes/admin.conf
until_true() { local deadline=$((SECONDS + ${deadlineSeconds})) said; until said=$("$@" 2>&1); do if (( SECONDS > deadline )); then echo "$* : $said"; kubectl get nodes,pods -A -o wide; return 1; fi; read -rt 1 <> <(:) || true; done; echo "$said"; }
until_true kubectl wait --for=condition=Ready --timeout=20s ${nodes.map((node) => `node/${node}`).join(" ")} > /dev/null
until_true kubectl get serviceaccount default > /dev/null
cat <<'MANIFEST' | kubectl apply -f - > /dev/null
${manifest(nodes)}
MANIFEST
until_true kubectl wait --for=condition=Ready --timeout=20s ${nodes.map((node) => `pod/toolbox-${node}`).join(" ")} > /dev/null
for from in ${nodes.join(" ")}; do
  for to in ${nodes.join(" ")}; do
    ip=$(kubectl get pod toolbox-$to -o 'jsonpath={.status.podIP}')
    echo "pod on $from reaches pod on $to at $ip: $(until_true kubectl exec toolbox-$from -- curl -sf --max-time 5 http://$ip/)"
  done
  echo "pod on $from resolves the Service toolbox: $(until_true kubectl exec toolbox-$from -- curl -sf --max-time 5 http://toolbox.default.svc.cluster.local/)"
done
kubectl delete service toolbox > /dev/null
kubectl delete pod --now ${nodes.map((node) => `toolbox-${node}`).join(" ")} > /dev/null 2>&1
`;
  const { exitCode, stdout, stderr } = await ssh(machine, "sudo bash -s", { reject: false, input: script });
  if (exitCode !== 0) throw new Error(`pods on ${nodes.join(", ")}: ${stdout}\n${stderr}`);
  return String(stdout).trim().split("\n");
}

import { expect } from "vitest";
import { machineNamed } from "../../lab/machines.ts";
import { sudo } from "../lab/machine.ts";

/** The machine of the lab that is a balancer which somebody else keeps. */
export const balancer = machineNamed("w1");

/** Makes it HAProxy in front of these control planes. */
export async function balance(controlPlanes: readonly string[]): Promise<void> {
  const servers = controlPlanes.map((name) => `  server ${name} ${machineNamed(name).address}:6443 check check-ssl verify none inter 2s fall 2 rise 1`);
  const configuration = `
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen kubernetes-api
  bind :6443
  option httpchk GET /readyz
  http-check expect status 200
${servers.join("\n")}
`;
  const { exitCode, stderr } = await sudo(balancer.name, `set -e
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes haproxy > /dev/null
    cat > /etc/haproxy/haproxy.cfg << 'END'
${configuration}
END
    systemctl restart haproxy`);
  expect(exitCode, stderr).toBe(0);
}

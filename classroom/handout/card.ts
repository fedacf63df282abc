import { fingerprintOfText } from "./fingerprint.ts";
import { practiceNamespace } from "./access.ts";
import { fileNames, type Handout } from "./facts.ts";
import type { Block, Page } from "./page.ts";
import { sshAddress } from "./ssh-files.ts";
import { timeText, wordsOf, type Words } from "./words.ts";

/** How the student is called: `s07 김하늘`. */
export const calledOf = ({ id, name }: Handout["student"]): string => (name === undefined ? id : `${id} ${name}`);

/**
 * The one page that a student gets. Nothing on it is secret.
 *
 * @param timeZone for times, as `Asia/Seoul` or `+09:00`
 */
export function card(handout: Handout, language: Page["language"], timeZone: string): Page {
  const words = wordsOf(language);
  const { klass, student, login, machines, cluster } = handout;
  const address = sshAddress(login, machines[0]!);
  return {
    language,
    title: klass,
    subtitle: calledOf(student),
    qr: { text: address, caption: words.qr(address) },
    blocks: [...loginBlocks(handout, words), ...machineBlocks(handout, words), ...clusterBlocks(handout, words), ...endBlocks(cluster, words, timeZone)],
    footer: words.noSecret,
  };
}

function loginBlocks({ klass, student, login, machines }: Handout, words: Words): Block[] {
  const [first, ...others] = machines as [Handout["machines"][number], ...Handout["machines"]];
  const ssh = `ssh -F ${fileNames.config} ${first.name}`;
  return [
    { kind: "heading", text: words.logIn },
    { kind: "text", text: `${words.unpack(`${student.id}.zip (${klass}-${student.id})`)} ${words.loginIs(login)}` },
    { kind: "commands", label: words.unixLogin, lines: [`chmod 600 ${fileNames.key}`, ssh] },
    { kind: "commands", label: words.windowsLogin, lines: [`icacls ${fileNames.key} /inheritance:r /grant:r "\${env:USERNAME}:R"`, ssh] },
    { kind: "commands", label: words.longLogin, lines: [`ssh -i ${fileNames.key} -o UserKnownHostsFile=${fileNames.knownHosts} -p ${first.port} ${login}@${first.host}`] },
    ...(others.length > 0 ? [{ kind: "text", text: words.otherNodes(others.map(({ name }) => name).join(", ")) } as const] : []),
  ];
}

function machineBlocks({ machines }: Handout, words: Words): Block[] {
  return [
    { kind: "heading", text: words.nodes },
    {
      kind: "table",
      head: [words.node, words.role, words.sshAddress, words.clusterAddress, words.fingerprint],
      rows: machines.map(({ name, role, host, port, clusterAddress, hostKey }) => [
        name,
        role === "control-plane" ? words.controlPlane : words.worker,
        `${host}${port === 22 ? "" : ` : ${port}`}`,
        clusterAddress,
        fingerprintOfText(hostKey),
      ]),
    },
    { kind: "text", text: words.fingerprintHelp },
  ];
}

function clusterBlocks({ cluster, machines }: Handout, words: Words): Block[] {
  if (!cluster) return [{ kind: "heading", text: words.cluster }, { kind: "text", text: words.noCluster }];
  return [
    { kind: "heading", text: words.cluster },
    { kind: "commands", label: words.tryFirst, lines: [`ssh -F ${fileNames.config} ${machines[0]!.name} kubectl get nodes`] },
    { kind: "text", text: words.onTheMachine },
    { kind: "commands", label: words.fromHere(cluster.server), lines: [`kubectl --kubeconfig ${fileNames.admin} get nodes`] },
    { kind: "text", text: words.admin(fileNames.admin) },
    { kind: "text", text: words.limited(fileNames.limited, practiceNamespace) },
    { kind: "commands", label: words.tryLimited, lines: [`kubectl --kubeconfig ${fileNames.limited} get secrets --all-namespaces`] },
  ];
}

function endBlocks(cluster: Handout["cluster"], words: Words, timeZone: string): Block[] {
  return [
    { kind: "heading", text: words.ends },
    ...(cluster ? [{ kind: "text", text: `${words.certificatesEnd(timeText(new Date(cluster.ends), words, timeZone))} ${words.again}` } as const] : []),
    { kind: "text", text: words.machinesEnd },
  ];
}

import type { Words } from "../words.ts";

export const english: Words = {
  locale: "en-GB",
  controlPlane: "control plane",
  worker: "worker",
  node: "node",
  role: "role",
  sshAddress: "SSH address",
  clusterAddress: "address in the cluster",
  fingerprint: "host key (SHA256)",

  logIn: "Log in",
  unpack: (zip) => `Unpack ${zip} and open a terminal in its folder.`,
  unixLogin: "Linux and macOS:",
  windowsLogin: "Windows (PowerShell):",
  longLogin: "The same without the file config:",
  otherNodes: (names) => `The other machines: put ${names} in the place of the name.`,
  loginIs: (login) => `You are the user ${login}. There is no password: your key opens the machine, and sudo asks for nothing.`,
  nodes: "Your machines",
  fingerprintHelp: "If ssh shows another fingerprint than this one, do not go on: ask your instructor.",

  cluster: "Your cluster",
  tryFirst: "Try this first, from your computer:",
  onTheMachine: "kubectl works on the machine as it is; the Tab key completes what you type.",
  fromHere: (server) => `With kubectl on your own computer, in the same folder (the API is ${server}):`,
  admin: (file) => `${file}: you may do everything in your cluster.`,
  limited: (file, namespace) => `${file}: for the lesson on access control. You may look at everything but Secrets, and change things in the namespace ${namespace} only.`,
  tryLimited: "This is refused, and shall be:",
  noCluster: "There is no cluster on the machines: you make it yourself in the lesson.",

  ends: "What ends when",
  certificatesEnd: (time) => `The two kubeconfig files open the cluster until ${time}.`,
  machinesEnd: "After the class your instructor takes the machines back. The user, its home directory and the cluster are deleted then: copy what you want to keep. Your key opens nothing any more.",
  qr: (address) => `${address}\nthe address; no key is in it`,
  noSecret: "There is no secret on this card. The key and the kubeconfig files in the zip are secrets: give them to nobody.",
  again: "If they open nothing before that, your cluster was made anew: ask for the new zip.",

  readme: ({ title, hasCluster }) => `# ${title}

card.html and card.pdf tell how to log in.

| file | what it is |
|---|---|
| key | your SSH key, a secret |
| config | settings for ssh: \`ssh -F config NAME\` |
| known_hosts | what your machines must prove to be yours |
${hasCluster ? `| admin.kubeconfig | for kubectl: everything in your cluster, a secret |
| limited.kubeconfig | for kubectl: few rights, for the lesson on access control, a secret |
` : ""}
"UNPROTECTED PRIVATE KEY FILE": others may read the file key. Run the first line for your system on the card again.

"Permission denied (publickey)": you are not in this folder, or the machine was given back.
`,
  sheet: {
    title: "Instructor's sheet",
    student: "student",
    machines: "machines",
    folder: "folder and zip",
    certificates: "certificates end",
    none: "no cluster",
    notYet: "not handed out",
    yourWay: "Your own way in",
    yourKey: (fingerprint) => `Your key ${fingerprint} opens every machine for the user in the table. It stands in /etc/ssh/authorized_keys.d, where a student who clears ~/.ssh does not reach it by mistake.`,
    noKey: "Your public key is not known, so only ~/.ssh/authorized_keys of that user lets you in. Set instructorKeyPath in the class file and run \"classroom up\" again.",
    where: "Where things are",
    folders: (directory) => `Folders and zips: ${directory}. The students' keys: keys, beside it.`,
    hand: "Give each student the own zip, over a way that only this student reads. The card alone is no secret.",
    evening: "In the evening \"npx classroom down\" takes the machines back and removes what is here.",
    noSecret: "There is no secret on this sheet.",
  },
};

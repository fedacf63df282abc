import type { Words } from "../words.ts";

export const korean: Words = {
  locale: "ko-KR",
  controlPlane: "컨트롤 플레인",
  worker: "워커",
  node: "노드",
  role: "역할",
  sshAddress: "SSH 주소",
  clusterAddress: "클러스터 안 주소",
  fingerprint: "호스트 키 (SHA256)",

  logIn: "접속하기",
  unpack: (zip) => `${zip} 파일의 압축을 풀고, 그 폴더에서 터미널을 엽니다.`,
  unixLogin: "Linux, macOS:",
  windowsLogin: "Windows (PowerShell):",
  longLogin: "config 파일 없이 접속할 때:",
  otherNodes: (names) => `다른 서버에 접속하려면 이름 자리에 ${names}을(를) 씁니다.`,
  loginIs: (login) => `사용자 이름은 ${login}입니다. 비밀번호는 없습니다. 키로 접속하고, sudo도 비밀번호를 묻지 않습니다.`,
  nodes: "내 서버",
  fingerprintHelp: "ssh가 보여 주는 지문이 이 표와 다르면 접속하지 말고 강사에게 물어보세요.",

  cluster: "내 클러스터",
  tryFirst: "먼저 내 컴퓨터에서 이렇게 해 봅니다:",
  onTheMachine: "서버 안에서는 kubectl을 바로 쓸 수 있습니다. Tab 키를 누르면 명령이 완성됩니다.",
  fromHere: (server) => `내 컴퓨터의 kubectl로 쓸 때는 같은 폴더에서 (API 주소는 ${server}):`,
  admin: (file) => `${file}: 내 클러스터에서 모든 것을 할 수 있습니다.`,
  limited: (file, namespace) => `${file}: 접근 제어 실습용입니다. Secret을 뺀 나머지를 볼 수 있고, 변경은 네임스페이스 ${namespace} 안에서만 됩니다.`,
  tryLimited: "이 명령은 거부되어야 정상입니다:",
  noCluster: "아직 클러스터가 없습니다. 수업 시간에 직접 만듭니다.",

  ends: "언제까지 쓸 수 있나",
  certificatesEnd: (time) => `두 kubeconfig 파일은 ${time}까지 쓸 수 있습니다.`,
  machinesEnd: "수업이 끝나면 강사가 서버를 회수합니다. 그때 사용자와 홈 디렉터리, 클러스터가 모두 지워지고 키도 쓸 수 없게 됩니다. 필요한 파일은 미리 복사해 두세요.",
  qr: (address) => `${address}\n접속 주소입니다. 키는 들어 있지 않습니다`,
  noSecret: "이 카드에는 비밀 정보가 없습니다. zip 안의 key와 kubeconfig 파일은 비밀이니 다른 사람에게 주지 마세요.",
  again: "그 전에 열리지 않으면 클러스터를 새로 만든 것이니 새 zip을 받으세요.",

  readme: ({ title, hasCluster }) => `# ${title}

접속하는 방법은 card.html 또는 card.pdf에 있습니다.

| 파일 | 설명 |
|---|---|
| key | 내 SSH 키. 비밀입니다 |
| config | ssh 설정: \`ssh -F config 이름\` |
| known_hosts | 접속한 곳이 내 서버가 맞는지 확인하는 데 씁니다 |
${hasCluster ? `| admin.kubeconfig | kubectl용. 내 클러스터의 모든 권한. 비밀입니다 |
| limited.kubeconfig | kubectl용. 접근 제어 실습용으로 권한이 적습니다. 비밀입니다 |
` : ""}
"UNPROTECTED PRIVATE KEY FILE"이 나오면 다른 사용자도 key 파일을 읽을 수 있는 상태입니다. 카드에서 내 운영 체제에 맞는 첫 줄을 다시 실행하세요.

"Permission denied (publickey)"가 나오면 이 폴더에서 실행했는지 확인하세요. 서버가 이미 회수되었을 수도 있습니다.
`,
  sheet: {
    title: "강사용 목록",
    student: "수강생",
    machines: "서버",
    folder: "폴더와 zip",
    certificates: "인증서 만료",
    none: "클러스터 없음",
    notYet: "아직 나눠 주지 않음",
    yourWay: "강사의 접속 방법",
    yourKey: (fingerprint) => `강사의 키 ${fingerprint}로 모든 서버에 표의 사용자로 접속할 수 있습니다. 이 키는 /etc/ssh/authorized_keys.d에 있어서, 수강생이 실수로 ~/.ssh를 지워도 남습니다.`,
    noKey: "강사의 공개 키를 알 수 없어서, 그 사용자의 ~/.ssh/authorized_keys로만 접속할 수 있습니다. 클래스 파일에 instructorKeyPath를 쓰고 \"classroom up\"을 다시 실행하세요.",
    where: "파일 위치",
    folders: (directory) => `폴더와 zip: ${directory}. 수강생의 키: 그 옆의 keys.`,
    hand: "각 수강생에게 자기 zip만, 그 수강생만 볼 수 있는 방법으로 전달하세요. 카드만으로는 비밀이 아닙니다.",
    evening: "저녁에 \"npx classroom down\"을 실행하면 서버를 회수하고 여기 있는 것도 지웁니다.",
    noSecret: "이 목록에는 비밀 정보가 없습니다.",
  },
};

import type { Problem } from "../problem.ts";
import type { Sentence, Words } from "../words.ts";

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
const anew = (student: string) => `\`classroom reset ${student}\`로 클러스터를 새로 만들 수 있습니다`;

function sentence(problem: Problem, student: string): Sentence {
  switch (problem.kind) {
    case "unreachable":
      return { problem: `${problem.machine} 서버가 응답하지 않습니다`, next: "전원과 네트워크를 확인하세요. 자세한 내용: `classroom status`" };
    case "another-machine":
      return { problem: `${problem.machine} 서버의 호스트 키가 바뀌었습니다`, next: `다른 서버이거나 새로 설치한 서버입니다: \`classroom status ${student}\`` };
    case "refused":
      return { problem: `${problem.machine} 서버가 접속을 거부합니다`, next: `키, 계정, sudo를 확인하세요: \`classroom status ${student}\`` };
    case "unreadable":
      return { problem: `${problem.machine} 서버의 상태를 읽을 수 없습니다`, next: `자세한 내용: \`classroom status ${student}\`` };
    case "foreign":
      return { problem: `${problem.machine} 서버는 다른 클러스터의 것입니다`, next: "그쪽에서 돌려놓거나 명단을 고치세요" };
    case "by-hand":
      return { problem: `${problem.machine} 서버에 누군가 직접 만든 클러스터가 있습니다: ${problem.made}`, next: `\`classroom reset ${student}\`가 그것을 지우고 수강생의 클러스터를 만듭니다` };
    case "failed":
      return { problem: `${problem.command} 실패: ${problem.said}`, next: problem.next ?? `\`classroom up ${student}\`로 이어서 합니다` };
    case "killed":
      return { problem: `\`classroom ${problem.command}\` 명령이 강제로 끝났습니다`, next: `\`classroom ${problem.command} ${student}\`를 다시 실행하세요` };
    case "unfinished":
      return { problem: `${problem.stage} 단계까지 되었고, 지금 작업하는 명령이 없습니다`, next: `\`classroom up ${student}\`로 이어서 합니다` };
    case "not-begun":
      return { problem: "아직 시작하지 않았습니다", next: `\`classroom up ${student}\`` };
    case "certificate":
      return {
        problem: `${problem.machine}의 ${problem.name} 인증서가 ${problem.days < 0 ? "만료되었습니다" : `${problem.days}일 뒤 만료됩니다`}`,
        next: `${problem.machine}에서 \`kubeadm certs renew all\`을 하고 컨트롤 플레인을 다시 시작하거나, \`classroom reset ${student}\``,
      };
    case "silent-cluster":
      return { problem: `클러스터가 응답하지 않습니다: ${problem.said}`, next: `서버에서 \`crictl ps -a\`, \`journalctl -u kubelet\`; ${anew(student)}` };
    case "nodes-not-ready":
      return { problem: `${problem.nodes.join(", ")} 노드가 NotReady입니다`, next: `서버에서 \`systemctl status kubelet\`; ${anew(student)}` };
    case "nodes-missing":
      return { problem: `클러스터에 ${problem.nodes.join(", ")} 노드가 없습니다`, next: `서버에서 \`systemctl restart kubelet\`을 하면 다시 등록됩니다; ${anew(student)}` };
    case "disk":
      return { problem: `${problem.machine}의 디스크가 거의 찼습니다: ${gigabytes(problem.availableBytes)} GB (${problem.percent} %) 남음`, next: "`crictl rmi --prune`을 하고 /var의 큰 파일을 찾으세요" };
    case "pods": {
      const { namespace, name, reason } = problem.first;
      const others = problem.failing - 1;
      return { problem: `${namespace}/${name} ${reason}${others > 0 ? ` (외 ${others}개)` : ""}`, next: `\`kubectl -n ${namespace} describe pod ${name}\`` };
    }
  }
}

/** Korean. */
export const ko: Words = {
  language: "ko",
  states: { ready: "준비됨", working: "작업 중", "not-ready": "준비 안 됨", partial: "미완료", none: "시작 전", unreachable: "연결 안 됨", looking: "확인 중" },
  prepared: (to) => `준비됨: ${to}`,
  byHand: (made) => `직접 만든 것: ${made}`,
  nodes: "노드",
  pods: "파드",
  disk: "디스크",
  certificate: "인증서",
  stage: "단계",
  podsRun: "정상",
  podsFail: (count) => `비정상 ${count}개`,
  days: (days) => (days > 730 ? `${Math.floor(days / 365)}년` : `${days}일`),
  ended: "만료",
  bare: "비어 있음",
  title: "현황판",
  all: "전체",
  onlyNeeds: "도움이 필요한 곳만",
  inOrder: "명단 순서",
  byNeed: "급한 순서",
  nobodyNeeds: "도움이 필요한 수강생이 없습니다.",
  secondsAgo: "{}초 전",
  minutesAgo: "{}분 전",
  notYet: "아직 확인 전",
  lost: "{}부터 현황판과 연결이 끊겼습니다. 아래 내용은 그 전의 것입니다. `classroom board`가 실행 중인지 확인하세요.",
  noScript: "이 페이지는 JavaScript가 필요합니다.",
  sentence,
};

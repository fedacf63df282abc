import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { renderEnvironment, renderScript } from "../../../machine/render.ts";
import { logins } from "../../../machine/stages/logins.ts";
import { controlPlane, publicKeys, withLogins } from "./cluster.ts";

/** What the script is told, with the operator as root, who is everywhere. */
const environmentOf = (settings = withLogins) => renderEnvironment(logins.environment(logins.parameters(settings, { ...controlPlane, user: "root" })));

/**
 * A machine of its own as far as files, processes and accounts go: namespaces of this computer with copies of its /etc, and nothing in
 * /home and the kit's directory. The tools for accounts are real; what a small computer has not (sshd, sudo, visudo, systemd, apt) is stood in for:
 * sshd reads the drop-ins as sshd does, the first setting wins.
 */
const machine = `
set -e
d=/mnt
mount -t tmpfs tmpfs "$d"
for path in /etc /home /var/lib/pulumi-kubeadm /usr/local/sbin /usr/local/share /run /var/spool /var/mail; do
  mkdir -p "$path" "$d$path"
done
cp -a /etc/. "$d/etc/"
mkdir -p "$d/usr/local/sbin" "$d/etc/ssh/sshd_config.d" "$d/etc/sudoers.d"
chmod 755 "$d/home"
cat > "$d/usr/local/sbin/sshd" << 'SSHD'
#!/bin/bash
[[ ! -e /run/refusing ]] || { echo "sshd: Bad configuration option" >&2; exit 255; }
[[ $1 == -T ]] || exit 0
read -r value < <(cat /etc/ssh/sshd_config.d/*.conf 2>/dev/null | sed -n 's/^AuthorizedKeysFile //p') || value=".ssh/authorized_keys .ssh/authorized_keys2"
echo "authorizedkeysfile $value"
SSHD
cat > "$d/usr/local/sbin/visudo" << 'VISUDO'
#!/bin/bash
[[ $1 == -c && $2 == -f ]] && grep -q "NOPASSWD: ALL" "$3"
VISUDO
cat > "$d/usr/local/sbin/sudo" << 'SUDO'
#!/bin/bash
grep -h "^\${!#} " /etc/sudoers.d/*
SUDO
cat > "$d/usr/local/sbin/systemctl" << 'SYSTEMCTL'
#!/bin/bash
echo "$*" >> /run/told
SYSTEMCTL
chmod 755 "$d"/usr/local/sbin/*
for path in /etc /home /var/lib/pulumi-kubeadm /usr/local/sbin /usr/local/share /run /var/spool /var/mail; do mount --bind "$d$path" "$path"; done
`;

const mayUnshare = process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "true"]).status === 0;

/** Runs a piece of shell there: `apply`, `inspect` and `remove` run the stage's script; `apply less` with other settings. */
function on(script: string): string[] {
  const stageScript = renderScript(logins.script).replace('\nstage_main "$@"\n', '\nread_packages() { package_version=([bash-completion]=1 [sudo]=1); }\ncan_be_installed() { true; }\nstage_main "$@"\n');
  const file = (name: string, settings: typeof withLogins) => `cat > /run/${name} << 'END_OF_STAGE'\n${environmentOf(settings)}${stageScript}\nEND_OF_STAGE\n`;
  const less = { ...withLogins, logins: withLogins.logins.slice(0, 1).map((login) => ({ ...login, sudo: false })) };
  const input = `${machine}
    ${file("all", withLogins)}
    ${file("less", less)}
    set +e
    apply() { bash "/run/\${1:-all}" apply 2> /run/said || { cat /run/said; echo "failed"; }; }
    drift() { bash "/run/\${1:-all}" inspect; }
    remove() { bash /run/all remove 2> /run/said || { cat /run/said; echo "failed"; }; }
    files() { find /etc /home /usr/local/share /var/spool /var/mail -printf '%p %m %u %l\\n' | sort; find /etc /home -type f -print0 | sort -z | xargs -0 sha256sum; getent passwd; }
    ${script}
    exit 0`;
  return execFileSync("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "bash", "-s"], { input, encoding: "utf8", stdio: "pipe" }).trim().split("\n");
}

/** The drift that an inspection told. */
const driftIn = (line: string | undefined) => (JSON.parse(line!) as { drift: string[] }).drift;

describe.skipIf(!mayUnshare)("the logins of a machine (needs root and namespaces)", { timeout: 60_000 }, () => {
  it("makes users with their keys and rights, once, and finds nothing to do after that", () => {
    const [student, sudoers, home, keys, modes, sshd, told, inspected] = on(`
      apply; apply
      getent passwd student | cut -d: -f1,6,7
      tail -n 1 /etc/sudoers.d/pulumi-kubeadm-student
      stat -c '%U %F' /home/student
      tail -qn 1 /etc/ssh/authorized_keys.d/{student,helper,root} | tr '\\n' '|'; echo
      stat -c '%a %U' /etc/sudoers.d/pulumi-kubeadm-student /etc/ssh/authorized_keys.d/student | tr '\\n' ' '; echo
      grep -h ^Auth /etc/ssh/sshd_config.d/00-pulumi-kubeadm.conf
      tr '\\n' '|' < /run/told; echo
      drift`);
    expect(student).toBe("student:/home/student:/bin/bash");
    expect(sudoers).toBe("student ALL=(ALL:ALL) NOPASSWD: ALL");
    expect(home).toBe("student directory");
    expect(keys).toBe([publicKeys.student, publicKeys.helper, publicKeys.operator, ""].join("|"));
    expect(modes).toBe("440 root 644 root ");
    expect(sshd).toBe("AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2 /etc/ssh/authorized_keys.d/%u");
    expect(told).toBe("try-reload-or-restart ssh|");
    expect(driftIn(inspected)).toEqual([]);
  });

  it("keeps what sshd read before, wherever that was", () => {
    const [sshd] = on(`
      echo 'AuthorizedKeysFile /srv/keys/%u' > /etc/ssh/sshd_config.d/50-owner.conf
      apply
      grep -h ^Auth /etc/ssh/sshd_config.d/00-pulumi-kubeadm.conf`);
    expect(sshd).toBe("AuthorizedKeysFile /srv/keys/%u /etc/ssh/authorized_keys.d/%u");
  });

  it("says what differs, and puts it right", () => {
    const [first, second, third] = on(`
      apply
      : > /etc/ssh/authorized_keys.d/student
      echo '# mine' >> /etc/ssh/sshd_config.d/00-pulumi-kubeadm.conf
      rm /etc/sudoers.d/pulumi-kubeadm-student
      userdel --remove helper 2> /dev/null
      drift; apply; drift
      echo 'AuthorizedKeysFile none' > /etc/ssh/sshd_config.d/00-owner.conf
      drift`);
    expect(driftIn(first)).toEqual([
      "/etc/ssh/authorized_keys.d/student differs from what was written",
      "/etc/sudoers.d/pulumi-kubeadm-student is missing",
      "there is no user helper",
      "/etc/ssh/sshd_config.d/00-pulumi-kubeadm.conf differs from what was written",
    ]);
    expect(driftIn(second)).toEqual([]);
    expect(driftIn(third)).toEqual(["student", "helper", "root"].map((name) => `sshd does not follow /etc/ssh/sshd_config.d/00-pulumi-kubeadm.conf for ${name}`));
  });

  it("takes back what is wanted no more, and leaves the rest", () => {
    const [before, users, files, after] = on(`
      apply
      drift less; apply less
      getent passwd student helper | cut -d: -f1 | tr '\\n' ' '; echo
      echo /etc/ssh/authorized_keys.d/* /etc/sudoers.d/pulumi-* /home/*
      drift less`);
    expect(driftIn(before)).toEqual(["the sudo of student is still there, and wanted no more", "the login of helper is still there, and wanted no more"]);
    expect(users).toBe("student ");
    expect(files).toBe("/etc/ssh/authorized_keys.d/root /etc/ssh/authorized_keys.d/student /etc/sudoers.d/pulumi-* /home/student");
    expect(driftIn(after)).toEqual([]);
  });

  it("leaves nothing when it is undone, though the user's programs run and there are files of the user's", () => {
    const lines = on(`
      files > /run/before
      apply
      setpriv --reuid student --clear-groups sleep 1000 & runs=$!
      until [[ $(stat -c %U /proc/$runs) == student ]]; do :; done
      echo work > /home/student/work
      remove
      kill -0 $runs 2> /dev/null && echo "still runs"
      files > /run/after; diff /run/before /run/after; tail -n 1 /run/told; ls /var/lib/pulumi-kubeadm/ledger`);
    expect(lines).toEqual(["try-reload-or-restart ssh"]);
  });

  it("leaves a user who was there before all that there was", () => {
    const lines = on(`
      useradd --create-home --shell /bin/sh student; mkdir /home/student/.ssh; echo key > /home/student/.ssh/authorized_keys; chown -R student: /home/student
      files > /run/before
      apply; getent passwd student | cut -d: -f7; remove
      files > /run/after; diff /run/before /run/after`);
    expect(lines).toEqual(["/bin/sh"]);
  });

  it("does not take a home directory that is somebody else's", () => {
    const lines = on(`mkdir /home/student; apply; getent passwd student`);
    expect(lines).toContain("!!! there is a /home/student and no user student");
    expect(lines.at(-1)).toBe("failed");
  });

  it("touches nothing of sshd's when sshd refuses its own configuration", () => {
    const lines = on(`touch /run/refusing; apply; ls /etc/ssh/sshd_config.d; cat /run/told 2> /dev/null`);
    expect(lines).toEqual(expect.arrayContaining(["!!! sshd refuses its configuration as it is:", "!!! sshd: Bad configuration option"]));
    expect(lines.join(" ")).not.toContain("00-pulumi-kubeadm.conf");
  });

  describe("the kubeconfig of a user", () => {
    const kubeconfig = (text: string, certificate = "Q0VSVA==") =>
      `bash -s apply 2> /run/said << 'END_OF_KUBECONFIG' || { cat /run/said; echo failed; }\n${renderEnvironment({ LOGIN: "student", CERTIFICATE: certificate, KUBECONFIG_KEY: text })}${renderScript("login-kubeconfig.sh")}\nEND_OF_KUBECONFIG\n`;

    it("is the user's own and for no one else's eyes, and goes with the user", () => {
      const lines = on(`
        apply
        ${kubeconfig("first Q0VSVA==")}
        stat -c '%U %a' /home/student/.kube /home/student/.kube/config | tr '\\n' ' '; cat /home/student/.kube/config
        remove; ls -A /home`);
      expect(lines).toEqual(["student 700 student 600 first Q0VSVA=="]);
    });

    it("stays as the user has it while it holds the certificate, and is written anew when it does not", () => {
      const lines = on(`
        apply
        ${kubeconfig("first Q0VSVA==")}
        echo 'namespace: mine' >> /home/student/.kube/config
        ${kubeconfig("second Q0VSVA==")}
        cat /home/student/.kube/config
        ${kubeconfig("third", "TkVX")}
        cat /home/student/.kube/config`);
      expect(lines).toEqual(["first Q0VSVA==", "namespace: mine", "third"]);
    });

    it("of a user who was there before is put back as it was", () => {
      const lines = on(`
        useradd --create-home student; mkdir /home/student/.kube; echo theirs > /home/student/.kube/config; chown -R student: /home/student
        files > /run/before
        apply
        ${kubeconfig("first")}
        cat /home/student/.kube/config
        remove
        files > /run/after; diff /run/before /run/after`);
      expect(lines).toEqual(["first"]);
    });

    it("is for a user who is there", () => expect(on(kubeconfig("first"))).toContain("!!! there is no user student"));
  });
});

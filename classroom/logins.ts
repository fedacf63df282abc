import type { SettingsInput } from "../kubeadm/settings.ts";
import { settingsOf, type ClassSettings } from "./class-file.ts";
import { operatorKey } from "./handout/operator-key.ts";
import type { Handouts } from "./handout/store.ts";
import type { Student } from "./roster.ts";

/**
 * The settings of a student's stack, with who can log in: the student with an own key, made now if there is none, and whoever runs the
 * class, whatever becomes of that user's ~/.ssh.
 *
 * @throws Error when a key cannot be read
 */
export function settingsWithLogins(klass: ClassSettings, student: Student, handouts: Handouts): SettingsInput {
  const settings = settingsOf(klass, student);
  const own = operatorKey(klass);
  const login = { name: klass.login, authorizedKeys: [handouts.keyOf(student.id).public], sudo: true };
  return {
    ...settings,
    ...(own !== undefined && { ssh: { ...settings.ssh, authorizedKeys: [...(settings.ssh?.authorizedKeys ?? []), own] } }),
    logins: [...(settings.logins ?? []), login],
  };
}

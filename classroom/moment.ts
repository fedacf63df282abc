const time = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });

/** A moment in the time zone of this computer, as `2026-12-04 18:04`. @param iso ISO 8601 */
export const moment = (iso: string): string => time.format(new Date(iso));

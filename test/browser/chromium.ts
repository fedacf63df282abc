import { chromium, type Browser } from "playwright-core";

/** Starts Debian's Chromium, or the one that CHROMIUM names. */
export function startChromium(): Promise<Browser> {
  // Chromium's sandbox does not work for root.
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

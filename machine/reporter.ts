/** Where one piece of work tells how it is getting on. */
export interface Reporter {
  /** What is being done now; replaces the text before. */
  progress(text: string): void;
  /** Something to keep, as the fingerprint of a host key seen for the first time. */
  info(text: string): void;
  /** Something to keep and to look at. */
  warn(text: string): void;
  /** False when whoever asked for the work is gone: then nothing more is begun. Left out where that cannot be told. */
  heard?(): boolean;
}

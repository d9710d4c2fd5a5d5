/** A feature file beside the jobs that name it. */
export const FEATURES_FILE = /\.features\.ya?ml$/;

/** Whether the text is a stream job: it has top-level keys that no job of windows has. */
export function isStreamJob(text: string): boolean {
  return /^["']?(features_file|kafka)["']?[ \t]*:/m.test(text);
}

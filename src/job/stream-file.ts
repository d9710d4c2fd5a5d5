/** A feature file beside the jobs that name it. */
export const FEATURES_FILE = /\.features\.ya?ml$/;

/** Whether the text is a stream job: it names an input topic and a feature file, which no job of windows has at its top. */
export function isStreamJob(text: string): boolean {
  return /^["']?features_file["']?[ \t]*:/m.test(text) && /^["']?input["']?[ \t]*:/m.test(text);
}

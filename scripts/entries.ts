// Entries of src that become separate files in dist: the command, and each thread or process, which is started by the URL of
// its file. A URL such as `new URL('./thread.js', import.meta.url)` is right in dist, which is flat, and in a plain
// compilation, where both files share a folder.
export const ENTRIES = {
  cli: 'src/cli.ts',
  thread: 'src/score/thread.ts',
  'answering-process': 'src/serve/process/answering-process.ts',
  'engine-thread': 'src/tap/engine-thread.ts',
  'scoring-thread': 'src/tap/scoring-thread.ts',
};

// Records the demo as docs/demo.svg: runs `scripts/demo.ts` on a copy of what it needs, so that an earlier demo's warehouse
// does not interfere, and draws its output as a terminal. Long waits are shortened.
//
//   npm run docs:demo
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from './root.ts';
import { drawTerminal, type Line } from './terminal-svg.ts';

const SCRIPT = '.modules/scripts/demo.js';
const NEEDED = ['package.json', 'dist', 'jobs', 'models/churn', 'data/cdnow', SCRIPT, '.modules/scripts/root.js'];
/** Longest wait between two lines of the recording, in seconds. */
const LONGEST_WAIT = 0.9;

const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-demo-'));
try {
  for (const name of NEEDED) cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const printed = await record(folder);
  // A picture of anything else would mislead.
  if (!printed.some(({ text }) => text.includes('published churn-weekly'))) throw new Error('the demo published nothing');
  const lines: Line[] = [{ at: 0, text: '$ npm run demo' }, ...printed];
  const title = 'npm run demo: score-batch scores the new customers of a week';
  writeFileSync(path.join(ROOT, 'docs/demo.svg'), drawTerminal(shortened(lines), { title, columns: 120, rows: 28 }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns lines of both streams, each with the second at which it was printed */
async function record(cwd: string): Promise<Line[]> {
  const child = spawn(process.execPath, [SCRIPT], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const start = performance.now();
  const lines: Line[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) lines.push({ at: (performance.now() - start) / 1000, text: part.replaceAll(cwd, '.') });
    });
  }
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`the demo ended with ${code}:\n${lines.map(({ text }) => text).join('\n')}`);
  return lines;
}

function shortened(lines: readonly Line[]): Line[] {
  let cut = 0;
  let before = 0;
  return lines.map(({ at, text }) => {
    cut += Math.max(0, at - before - LONGEST_WAIT);
    before = at;
    return { at: at - cut, text };
  });
}

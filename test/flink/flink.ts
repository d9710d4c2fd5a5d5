import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../../scripts/root.ts';
import { mavenJars } from '../support/maven-jars.ts';

/** The heap holds the state of all windows. */
const JAVA = ['-Xmx2500m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** @throws Error in one line if there is no Java or no Maven */
export function flinkClassPath(): Promise<string> {
  return mavenJars('flink', 'test/flink/pom.xml');
}

export interface FlinkRun {
  /** Seconds from start to end. */
  readonly seconds: number;
  /** Largest resident memory of the process, in bytes. */
  readonly memory: number;
}

/** Runs a script in a Flink of its own, until its job has read all. @param script a file; see RunSql.java */
export async function runFlink(script: string, signal?: AbortSignal): Promise<FlinkRun> {
  const from = performance.now();
  const command = [...JAVA, '-cp', await flinkClassPath(), path.join(ROOT, 'test/flink/RunSql.java'), script];
  const child = spawn('java', command, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
  ]);
  const memory = Number(/^VmHWM:\s+(\d+) kB$/m.exec(stdout)?.[1] ?? 0) * 1024;
  if (code === 0) return { seconds: (performance.now() - from) / 1000, memory };
  const causes = stderr.split('\n').filter((line) => /^(Caused by|Exception)/.test(line));
  throw new Error(`Flink ended with ${code}\n${causes.join('\n') || stderr}`);
}

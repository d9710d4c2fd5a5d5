import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 10;

/** Prints the files that took longest, before the summary of the run. */
export class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const times = modules.map((module) => ({ module, ms: durationOf(module) })).sort((a, b) => b.ms - a.ms);
    if (times.length < 2) return;
    const lines = times.slice(0, SHOWN).map(({ module, ms }) => `${(ms / 1000).toFixed(1).padStart(8)} s  ${shown(module)}`);
    process.stdout.write(`\nSlowest files\n${lines.join('\n')}\n`);
  }
}

function durationOf(module: TestModule): number {
  const { prepareDuration, collectDuration, duration } = module.diagnostic();
  return prepareDuration + collectDuration + duration;
}

function shown({ project, relativeModuleId }: TestModule): string {
  return `${relativeModuleId} (${project.name})`;
}

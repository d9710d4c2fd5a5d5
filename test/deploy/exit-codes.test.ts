import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/errors.ts';
import { repository } from '../support/project.ts';
import { cronJob } from './manifest.ts';

/** Ends that the same command would come to again: somebody must fix something first. */
const NOT_RETRIED = (['usage', 'refused', 'permission', 'configuration'] as const).map((kind) => EXIT_CODES[kind]);

const OPERATOR = ['airflow-provider', 'score_batch_airflow', 'operator.py'] as const;
const IN_PYTHON = [OPERATOR, ['prefect', 'score_batch_prefect.py'], ['dagster', 'score_batch_dagster.py']] as const;

const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
const read = (...file: string[]) => readFileSync(repository('deploy', ...file), 'utf8');

it('all schedulers leave the same exit codes alone', () => {
  for (const file of IN_PYTHON) {
    const [, python = ''] = /^NOT_RETRIED = \{(.*)\}$/m.exec(read(...file)) ?? [];
    expect(numbers(python)).toEqual(NOT_RETRIED);
  }
  for (const unit of ['score-batch@.service', 'score-batch-hourly@.service']) {
    const [, systemd = ''] = /^RestartPreventExitStatus=(.*)$/m.exec(read('systemd', unit)) ?? [];
    expect(numbers(systemd)).toEqual(NOT_RETRIED);
  }
  for (const name of ['cronjob.yaml', 'cronjob-gpu.yaml', 'cronjob-hourly.yaml']) {
    const [rule] = cronJob(name).spec.jobTemplate.spec.podFailurePolicy.rules;
    expect(rule).toMatchObject({ action: 'FailJob', onExitCodes: { operator: 'In', values: NOT_RETRIED } });
  }
});

it('nothing to score is not a failure to a scheduler that can skip', () => {
  expect(read(...OPERATOR)).toContain(`skip_on_exit_code=${EXIT_CODES['nothing to score']},`);
  for (const [folder, file] of IN_PYTHON.slice(1)) {
    expect(read(folder, file)).toMatch(new RegExp(`^NOTHING_TO_SCORE = ${EXIT_CODES['nothing to score']}$`, 'm'));
  }
  expect(read('systemd', 'score-batch@.service')).toMatch(
    new RegExp(`^SuccessExitStatus=${EXIT_CODES['nothing to score']}$`, 'm'),
  );
});

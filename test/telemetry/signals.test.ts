import { detectResources, envDetector } from '@opentelemetry/resources';
import { afterEach, expect, it, vi } from 'vitest';
import { isAttributes, wantedSignals } from '../../src/telemetry/signals.ts';

afterEach(() => vi.unstubAllEnvs());

it.each([
  ['nothing', '', true],
  ['commas alone', ' , ', true],
  ['one', 'team=x', true],
  ['spaces and an empty value', ' team = x ,, empty= ,', true],
  ['= and , that are encoded', 'query=a%3Db%2Cc', true],
  ['a long value', `team=${'x'.repeat(255)}`, true],
  ['a value that is long as it is encoded', `team=${'%20'.repeat(254)}x`, true],
  ['a value with =', 'a=b=c,team=x', false],
  ['a name alone', 'team', false],
  ['a value alone', '=x', false],
  ['a value with %', 'team=100%', false],
  ['a name with %', '%zz=x', false],
  ['a value that is too long', `team=${'x'.repeat(256)}`, false],
  ['a name that is too long', `${'n'.repeat(256)}=x`, false],
])('attributes with %s are read, or all are dropped, as by the package', (_, text, expected) => {
  expect(isAttributes(text)).toBe(expected);
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', `${text},marker=1`);
  expect('marker' in detectResources({ detectors: [envDetector] }).attributes).toBe(expected);
});

it('names the variable whose attributes are dropped, not its value, and only if something is sent', () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://host:4318', OTEL_RESOURCE_ATTRIBUTES: 'token=sesame=42,team=x' };
  const { signals, problems } = wantedSignals(environment);
  expect(signals).toEqual(['traces', 'metrics']);
  expect(problems).toEqual([expect.stringMatching(/^OTEL_RESOURCE_ATTRIBUTES is ignored: it must be name=value,name=value/)]);
  expect(problems.join()).not.toMatch(/sesame|team/);
  expect(wantedSignals({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toEqual({ signals: [], problems: [] });
});

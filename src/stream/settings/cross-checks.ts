import { didYouMean } from '../../suggest.ts';
import type { Problem } from '../../yaml/checked.ts';
import { isLiteral } from '../../yaml/literal.ts';
import type { StreamFile } from './schema.ts';

/**
 * Checks across the keys of a stream job file.
 *
 * @param text of the file, which must not contain a password
 */
export function crossChecks(file: StreamFile, text: string): Problem[] {
  return [...topicChecks(file), ...decisionChecks(file), ...accessChecks(file, text), ...attributeChecks(file)];
}

function topicChecks({ input, output, attributes }: StreamFile): Problem[] {
  const problems: Problem[] = [];
  const topics: [readonly string[], string | undefined][] = [
    [['input'], input],
    [['output', 'scores'], output.scores],
    [['output', 'dead_letter'], output.dead_letter],
    [['output', 'alerts'], output.alerts],
    [['attributes', 'topic'], attributes !== undefined && 'topic' in attributes ? attributes.topic : undefined],
  ];
  for (const [at, [path, topic]] of topics.entries()) {
    const [before] = topics.slice(0, at).find(([, other]) => topic !== undefined && other === topic) ?? [];
    if (before !== undefined)
      problems.push({ path, message: `${topic} is already ${before.join('.')}: each needs its own topic` });
  }
  return problems;
}

function decisionChecks({ decision, alert_on, output }: StreamFile): Problem[] {
  const problems: Problem[] = [];
  const names = Object.keys(decision);
  let before = -1;
  for (const [at, name] of names.entries()) {
    const from = decision[name] ?? 0;
    if (at === 0 && from !== 0)
      problems.push({ path: ['decision', name], message: 'the first decision must begin at 0, so that every score has one' });
    else if (from <= before) problems.push({ path: ['decision', name], message: 'must begin above the previous decision' });
    before = from;
  }
  for (const [at, name] of alert_on.entries()) {
    if (names.includes(name)) continue;
    const hint = names.length === 0 ? 'there is none under decision' : didYouMean(name, names);
    problems.push({ path: ['alert_on', at], message: `${name} is not a decision; ${hint}` });
  }
  if (alert_on.length > 0 && output.alerts === undefined)
    problems.push({ path: ['alert_on'], message: 'alerts need a topic: set output.alerts' });
  if (alert_on.length === 0 && output.alerts !== undefined)
    problems.push({ path: ['output', 'alerts'], message: 'nothing would be written to it: list decisions in alert_on' });
  return problems;
}

function accessChecks({ kafka: { tls, sasl } }: StreamFile, text: string): Problem[] {
  const problems: Problem[] = [];
  if (sasl !== undefined && isLiteral(text, ['kafka', 'sasl', 'password'])) {
    problems.push({
      path: ['kafka', 'sasl', 'password'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the file must have.
      message: 'must not be in the file: write ${KAFKA_PASSWORD}, and set that variable',
    });
  }
  if (typeof tls === 'object' && (tls.cert === undefined) !== (tls.key === undefined))
    problems.push({ path: ['kafka', 'tls'], message: 'a certificate needs its key: set both cert and key' });
  return problems;
}

function attributeChecks({ attributes }: StreamFile): Problem[] {
  if (attributes === undefined) return [];
  if ('topic' in attributes) {
    if (Object.keys(attributes.columns).length > 0) return [];
    return [{ path: ['attributes', 'columns'], message: 'name at least one column' }];
  }
  const { refresh, max_age } = attributes;
  if (max_age === undefined || max_age > refresh) return [];
  return [
    {
      path: ['attributes', 'max_age'],
      message: 'must be more than attributes.refresh: rows reach that age before each refresh',
    },
  ];
}

import { bandNames, firstBandMeaning } from './band-words.ts';
import { meanScore } from './change.ts';
import { type Html, html, type Part } from './html.ts';
import { leftOutInShort } from './left-out.ts';
import { callsInShort } from './lift-words.ts';
import { percent } from './numbers.ts';
import { totalInShort } from './outcome-words.ts';
import type { PageData } from './page-data.ts';
import { commonest } from './riskiest.ts';
import { separationOf } from './separation.ts';
import { verdictInWords } from './separation-words.ts';
import { listed, people, uncapitalized } from './words.ts';

/** The questions that readers have, each with a short answer and a link to more. */
export function brief(data: PageData): Html {
  const separation = separationOf(data);
  const answers: readonly (readonly [id: string, question: string, answer: Part])[] = [
    ['riskiest', 'Who to call first?', firstToCall(data)],
    [
      'outcome',
      'Can I believe it?',
      html`<b>The total:</b> ${totalInShort(data)} <b>The ranking:</b> ${separation === undefined ? 'too few scores to say.' : `${uncapitalized(verdictInWords(separation))}.`}`,
    ],
    ['left-out', 'What was left out?', leftOutInShort(data)],
  ];
  const { warnings } = data.run;
  return html`<section id="brief" aria-labelledby="brief-h"><h2 id="brief-h" class="unseen">In short</h2>
<dl class="brief">${answers.map(
    ([id, question, answer]) => html`<div><dt><a href="#${id}">${question}</a></dt><dd>${answer}</dd></div>
`,
  )}</dl>
${warnings.length === 0 ? undefined : html`<p class="warning"><b>The run gave ${warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`}:</b> ${warnings[0]}${warnings.length > 1 ? html` <a href="#run">All warnings</a>` : undefined}</p>`}</section>
`;
}

/** The first band, its meaning, and how it differs from the next one. */
function firstToCall({ bands, bandRules, job, totals, riskiest, reasons, outcome }: PageData): Html {
  if (totals.users === 0) return html`Nobody.`;
  const { nouns } = job;
  const all = bands.find(({ segment }) => segment === 'all');
  const rows = bandNames(bandRules).map((name) => ({ name, band: all?.bands.find(({ band }) => band === name) }));
  const [first] = rows;
  const means = rows.flatMap(({ name, band }) => {
    const mean = band && meanScore(band);
    return mean === undefined ? [] : [`${percent(mean)} in “${name}”`];
  });
  const who = first?.band
    ? html`The ${people(first.band.users, nouns)} in “<bdi>${first.name}</bdi>”`
    : html`Nobody is in “<bdi>${first?.name}</bdi>”`;
  const spared = riskiest.some(({ holdout }) => holdout) ? ', except those marked “do not contact”' : '';
  const listedFrom =
    (first?.band?.users ?? 0) < riskiest.length
      ? `the first of the ${riskiest.length}`
      : `beginning with the ${riskiest.length}`;
  const list = riskiest.length > 1 ? `, ${listedFrom} listed below${spared}` : '';
  return html`${who}${first?.band ? list : ''}. “${first?.name}” is ${firstBandMeaning(bandRules, nouns)}. Mean score: ${listed(means)}. ${reasons && commonest(riskiest)} ${callsInShort(outcome)}`;
}

import { CODE_SCRIPT } from './page-script-code.ts';
import { FORM_SCRIPT } from './page-script-form.ts';

/** Sends a request as the user types, shows the answer, and updates the code beside it. */
const MAIN_SCRIPT = `
const at = (id) => document.getElementById(id);
const WAIT_MS = 120;
let models = [];
let withToken = false;
let fields = [];
let shown;
let example = 0;
let timer;
let asking;

function versionsOf(name) {
  return models.filter((one) => one.name === name);
}

function showModel() {
  const versions = versionsOf(at('model').value);
  at('version-chooser').hidden = versions.length < 2;
  at('version').replaceChildren(
    ...(versions.length > 1 ? [element('option', { value: '' }, 'default (' + versions[0].version + ')')] : []),
    ...versions.map(({ version }) => element('option', { value: version }, version)),
  );
  showVersion();
}

function showVersion() {
  const versions = versionsOf(at('model').value);
  shown = versions.find(({ version }) => version === at('version').value) || versions[0];
  at('title').textContent = shown.name;
  at('description').textContent = shown.description;
  document.title = shown.name + ' · score-batch serve';
  fields = shown.fields.map((field, i) => makeField(field, 'feature-' + i, changed));
  at('form').replaceChildren(...fields.map(({ node }) => node));
  at('prediction').classList.toggle('short', (shown.classes || []).length <= 4);
  at('example').hidden = shown.examples.length < 2;
  example = 0;
  at('answer').replaceChildren();
  fill();
}

function fill() {
  const row = shown.examples[example % Math.max(1, shown.examples.length)];
  for (const one of fields) {
    const { name, kind, range, categories } = one.field;
    const otherwise = { number: range ? (range[0] + range[1]) / 2 : 0, bool: false, choice: (categories || [])[0], text: '' }[kind];
    one.set(row !== undefined && Object.hasOwn(row, name) ? row[name] : otherwise);
  }
  changed();
}

function address() {
  const version = at('version').value;
  const several = versionsOf(shown.name).length > 1;
  const part = several && version !== '' ? '/versions/' + encodeURIComponent(version) : '';
  return new URL('v1/models/' + encodeURIComponent(shown.name) + part + '/predict', location.href).href;
}

/** The row as names and JSON; undefined if a field holds no value. */
function readRow() {
  let whole = true;
  const row = fields.map((one) => {
    const json = one.json();
    one.mark(json === undefined ? 'not a number' : '');
    whole = whole && json !== undefined;
    return [one.field.name, json];
  });
  return whole ? row : undefined;
}

function changed() {
  clearTimeout(timer);
  // An answer that still comes would be one to what was there before.
  if (asking) asking.abort();
  const row = readRow();
  if (row === undefined) return;
  const language = document.querySelector('input[name=language]:checked').value;
  at('code').textContent = CODE[language](address(), row, withToken);
  at('copied').textContent = '';
  at('answer').classList.add('stale');
  timer = setTimeout(() => ask(row), WAIT_MS);
}

async function ask(row) {
  asking = new AbortController();
  const { signal } = asking;
  try {
    const response = await fetch(address(), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...authorization() },
      body: jsonBody(row),
      signal,
    });
    const answer = await response.json();
    if (!signal.aborted) show(response.ok ? answer : { ...answer, status: response.status });
  } catch (error) {
    if (!signal.aborted) show({ error: 'the server cannot be reached' });
  }
}

function show(answer) {
  const { model, predictions: [prediction] = [] } = answer;
  const nodes = prediction === undefined ? refusal(answer) : prediction.rejected ? rejection(prediction.rejected) : scored(prediction);
  const by = model ? [element('p', { className: 'by' }, model.name + ' ' + model.version + ', SHA-256 ' + model.digest.slice(0, 12) + '…')] : [];
  at('answer').replaceChildren(...nodes, ...by);
  at('answer').classList.remove('stale');
}

function scored({ label, probabilities, score }) {
  if (probabilities === undefined) {
    return [element('p', { className: 'big' }, String(Number(score.toPrecision(6)))), bar(score)];
  }
  const most = Math.max(...Object.values(probabilities));
  const bars = shown.classes.filter((name) => Object.hasOwn(probabilities, name)).map((name) => {
    const value = probabilities[name];
    const named = element('bdi', { className: value === most ? 'first' : '' }, name);
    return element('li', {}, named, element('span', { className: 'value' }, percent(value)), bar(value));
  });
  const list = element('ul', { className: 'bars' }, ...bars);
  return label === undefined ? [list] : [element('p', { className: 'big' }, element('bdi', {}, label)), list];
}

function percent(value) {
  if (value > 0 && value < 0.0005) return '< 0.1 %';
  if (value < 1 && value > 0.9995) return '> 99.9 %';
  return (value * 100).toFixed(1) + ' %';
}

/** Its value is beside it as text. */
function bar(value) {
  const fill = element('div', { className: 'fill' });
  fill.style.width = Math.min(100, Math.max(0, value * 100)) + '%';
  return element('div', { className: 'track', 'aria-hidden': 'true' }, fill);
}

function rejection({ reason, feature }) {
  const found = fields.find(({ field }) => field.name === feature);
  if (found) found.mark(reason);
  return [
    element('p', { className: 'refused' }, 'Rejected: ' + reason),
    ...(feature === undefined ? [] : [element('p', {}, element('bdi', {}, feature), ' is the reason why this row has no prediction.')]),
  ];
}

function refusal({ error, hint, details = [], status }) {
  for (const { field, mark } of fields) {
    for (const where of ['rows[0].' + field.name + ' ', 'rows[0][' + JSON.stringify(field.name) + '] ']) {
      if (error.startsWith(where)) mark(error.slice(where.length));
    }
  }
  const title = status === 401 ? 'Access token required' : status === undefined ? 'No answer' : 'Refused (' + status + ')';
  return [
    element('p', { className: 'refused' }, title),
    element('p', {}, error + (hint ? ' (' + hint + ')' : '')),
    element('ul', { className: 'list' }, ...details.map((line) => element('li', {}, line))),
  ].slice(0, details.length > 0 ? 3 : 2);
}

async function copy() {
  const text = at('code').textContent;
  try {
    await navigator.clipboard.writeText(text);
    at('copied').textContent = 'copied';
  } catch {
    // Without TLS, browsers have no clipboard for pages of other machines.
    getSelection().selectAllChildren(at('code'));
    at('copied').textContent = 'selected: press Ctrl+C';
  }
}

function authorization() {
  const token = at('token').value;
  return token === '' ? {} : { Authorization: 'Bearer ' + token };
}

/** Asks what is served. Without the token that it takes, only the field for the token is there. */
async function load() {
  try {
    const response = await fetch(new URL('served.json', location.href).href, { headers: authorization() });
    const answer = await response.json();
    withToken = response.status === 401 || answer.withToken === true;
    at('token-field').hidden = !withToken;
    if (!response.ok) return show({ ...answer, status: response.status });
    models = answer.models;
  } catch (error) {
    return show({ error: 'the server cannot be reached' });
  }
  const names = [...new Set(models.map(({ name }) => name))];
  at('model').replaceChildren(...names.map((name) => element('option', { value: name }, name)));
  at('model-chooser').hidden = names.length < 2;
  at('request').hidden = false;
  showModel();
}

at('model').addEventListener('change', showModel);
at('version').addEventListener('change', showVersion);
at('token').addEventListener('input', () => {
  if (models.length > 0) return changed();
  clearTimeout(timer);
  timer = setTimeout(load, WAIT_MS);
});
for (const one of document.forms) one.addEventListener('submit', (event) => event.preventDefault());
at('example').addEventListener('click', () => {
  example += 1;
  fill();
});
at('copy').addEventListener('click', copy);
for (const one of document.querySelectorAll('input[name=language]')) one.addEventListener('change', changed);
load();
`;

/** The page's script. It does not depend on what is served, so neither does its hash. */
export const PAGE_SCRIPT = `'use strict';\n(() => {\n${FORM_SCRIPT}${CODE_SCRIPT}${MAIN_SCRIPT}})();\n`;

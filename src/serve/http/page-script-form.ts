/**
 * The part of the page's script that creates form fields. Everything from a bundle becomes a text node or a property, never
 * markup.
 */
export const FORM_SCRIPT = String.raw`
const STEPS = 1000;
const EXACT = { maximumSignificantDigits: 17 };

function element(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties || {})) {
    if (key.startsWith('aria-') || key === 'for' || key === 'list' || key === 'role') made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

/** A feature: its node, its value as JSON (undefined: not a value at all), and how to mark it. */
function makeField(field, id, changed) {
  const made = { number: numberControl, bool: boolControl, choice: choiceControl, text: textControl }[field.kind](field, id, changed);
  const wrong = element('p', { className: 'wrong', id: id + '-wrong', hidden: true });
  const node = element('div', { className: 'field' });
  const label = element('label', { className: 'name', for: id }, element('bdi', {}, field.name));
  const about = made.about === '' ? [] : [' ', element('span', { className: 'about' }, made.about)];
  node.append(element('div', {}, label, ...about));
  let missing;
  if (field.nullable) {
    missing = element('input', { type: 'checkbox', 'aria-label': field.name + ' missing' });
    missing.addEventListener('change', () => {
      enable();
      changed();
    });
    const instead = field.default === undefined ? 'missing' : 'missing (' + field.default + ')';
    node.append(element('label', { className: 'missing' }, missing, instead));
  }
  node.append(element('div', { className: 'control' }, ...made.nodes), wrong);
  made.main.setAttribute('aria-describedby', wrong.id);
  function enable() {
    for (const one of made.nodes) one.disabled = missing !== undefined && missing.checked;
  }
  return {
    field,
    node,
    json: () => (missing !== undefined && missing.checked ? 'null' : made.json()),
    set(value) {
      if (missing !== undefined) missing.checked = value === null;
      if (value !== null && value !== undefined) made.set(value);
      enable();
    },
    mark(message) {
      wrong.textContent = message || '';
      wrong.hidden = !message;
      if (message) made.main.setAttribute('aria-invalid', 'true');
      else made.main.removeAttribute('aria-invalid');
    },
  };
}

function numberControl(field, id, changed) {
  const main = element('input', { type: 'number', id, step: 'any', inputMode: field.whole ? 'numeric' : 'decimal', autocomplete: 'off' });
  const read = {
    main,
    about: '',
    nodes: [main],
    set(value) {
      main.value = String(value);
    },
    // Digits go out as they were typed, so that the server sees whether they are too many.
    json() {
      if (main.validity.badInput) return undefined;
      if (main.value === '') return 'null';
      return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(main.value) ? main.value : JSON.stringify(Number(main.value));
    },
  };
  main.addEventListener('input', changed);
  if (!field.range) return read;
  const [low, high] = field.range;
  const plain = field.whole && high - low <= 200;
  const slider = element('input', { type: 'range', 'aria-label': field.name + ' slider' });
  Object.assign(slider, plain ? { min: low, max: high, step: 1 } : { min: 0, max: STEPS, step: 1 });
  const follow = () => {
    const value = Number(main.value);
    const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
    slider.value = String(plain ? value : Math.round(STEPS * share ** (1 / field.curve)));
    slider.setAttribute('aria-valuetext', main.value);
  };
  slider.addEventListener('input', () => {
    const at = Number(slider.value);
    main.value = String(plain ? at : rounded(low + (high - low) * (at / STEPS) ** field.curve, field));
    slider.setAttribute('aria-valuetext', main.value);
    changed();
  });
  main.addEventListener('input', follow);
  return {
    ...read,
    about: low.toLocaleString('en', EXACT) + ' to ' + high.toLocaleString('en', EXACT),
    nodes: [slider, main],
    set(value) {
      read.set(value);
      follow();
    },
  };
}

/** Three significant digits, inside the range. */
function rounded(value, { range: [low, high], whole }) {
  const size = Math.max(Math.abs(value), (high - low) / 10000);
  const step = whole ? 1 : 10 ** (Math.floor(Math.log10(size)) - 2);
  return Math.min(high, Math.max(low, Number((Math.round(value / step) * step).toPrecision(12))));
}

function boolControl(field, id, changed) {
  const main = element('input', { type: 'checkbox', id });
  main.addEventListener('change', changed);
  return {
    main,
    about: '',
    nodes: [main],
    set(value) {
      main.checked = value;
    },
    json: () => String(main.checked),
  };
}

function choiceControl(field, id, changed) {
  const main = element('select', { id }, ...field.categories.map((value) => element('option', { value }, value)));
  main.addEventListener('change', changed);
  return {
    main,
    about: '',
    nodes: [main],
    set(value) {
      main.value = value;
    },
    json: () => (main.selectedIndex < 0 ? 'null' : JSON.stringify(field.categories[main.selectedIndex])),
  };
}

function textControl(field, id, changed) {
  const main = element('input', { type: 'text', id, autocomplete: 'off', spellcheck: false });
  const nodes = [main];
  if (field.categories) {
    main.setAttribute('list', id + '-known');
    nodes.push(element('datalist', { id: id + '-known' }, ...field.categories.map((value) => element('option', { value }))));
  }
  main.addEventListener('input', changed);
  return {
    main,
    about: '',
    nodes,
    set(value) {
      main.value = value;
    },
    json: () => JSON.stringify(main.value),
  };
}
`;

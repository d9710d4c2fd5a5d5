// Turns lines with times into an animated SVG of a terminal. Without animation (a printer, `prefers-reduced-motion`) it shows
// the first screen.

/** Width of a character in pixels, whatever the font: `textLength` aligns columns. */
const CHAR = 7.8;
const LINE = 18;
const PAD = 14;
const BAR = 30;
/** Seconds for which the end stays before the recording restarts. */
const HOLD = 7;
/** Minimum seconds between two steps, so that simultaneous lines can be followed. */
const STEP = 0.12;

const COLOURS = { back: '#14171c', bar: '#23272e', text: '#d5dae1', dim: '#8b95a3', prompt: '#7ad7a0', warning: '#e5c07b' };

/** A line, and the second at which it was printed. */
export interface Line {
  readonly at: number;
  readonly text: string;
}

interface Terminal {
  readonly title: string;
  /** Width at which lines wrap. */
  readonly columns: number;
  /** Height; lines above scroll away. */
  readonly rows: number;
}

/** @returns SVG */
export function drawTerminal(lines: readonly Line[], { title, columns, rows }: Terminal): string {
  const shown = paced(lines).flatMap(({ at, text }) =>
    wrapped(text, columns).map((part) => ({ at, text: part, kind: kindOf(text) })),
  );
  const width = Math.ceil(columns * CHAR) + 2 * PAD;
  const screen = rows * LINE;
  const height = BAR + screen + 2 * PAD;
  const length = (shown.at(-1)?.at ?? 0) + HOLD;
  const texts = shown.map(({ text, kind }, i) =>
    text === ''
      ? ''
      : `<text class="${kind}" x="${PAD}" y="${i * LINE + 13}" textLength="${(text.length * CHAR).toFixed(1)}">${escaped(text)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" xml:space="preserve"
  font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
<title>${escaped(title)}</title>
<style>
text { white-space: pre; fill: ${COLOURS.text} }
.prompt { fill: ${COLOURS.prompt} } .dim, .title { fill: ${COLOURS.dim} } .warning { fill: ${COLOURS.warning} }
@media (prefers-reduced-motion: no-preference) {
#lines { animation: lines ${seconds(length)} step-end infinite }
#cover { animation: cover ${seconds(length)} step-end infinite }
}
${keyframes('lines', shown, length, (i) => -Math.max(0, i + 1 - rows) * LINE)}
${keyframes('cover', shown, length, (i) => (Math.min(i + 1, rows) - rows) * LINE)}
</style>
<rect width="${width}" height="${height}" rx="8" fill="${COLOURS.back}"/>
<path d="M0 8a8 8 0 0 1 8-8h${width - 16}a8 8 0 0 1 8 8v${BAR - 8}H0z" fill="${COLOURS.bar}"/>
<circle cx="18" cy="15" r="5" fill="#ec6a5e"/><circle cx="36" cy="15" r="5" fill="#f4bf4f"/><circle cx="54" cy="15" r="5" fill="#61c554"/>
<text class="title" x="${width / 2}" y="19" text-anchor="middle">${escaped(title)}</text>
<clipPath id="screen"><rect width="${width}" height="${screen}"/></clipPath>
<g transform="translate(0 ${BAR + PAD})" clip-path="url(#screen)">
<g id="lines">
${texts.filter((text) => text !== '').join('\n')}
</g>
<rect id="cover" y="${screen}" width="${width}" height="${screen}" fill="${COLOURS.back}"/>
</g>
</svg>
`;
}

/** Shows simultaneous lines one after the other. */
function paced(lines: readonly Line[]): Line[] {
  let before = -STEP;
  return lines.map(({ at, text }) => {
    before = Math.max(at, before + STEP);
    return { at: before, text };
  });
}

function wrapped(text: string, columns: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at === 0 || at < text.length; at += columns) parts.push(text.slice(at, at + columns));
  return parts;
}

function kindOf(text: string): string {
  if (text.startsWith('$ ')) return 'prompt';
  if (text.startsWith('warning: ')) return 'warning';
  return /^( {2}|published )/.test(text) ? 'line' : 'dim';
}

/** One step for each time at which something is printed. @param offset of the step after the i-th line, in pixels */
function keyframes(name: string, shown: readonly Line[], length: number, offset: (i: number) => number): string {
  const steps = new Map<string, number>();
  for (const [i, { at }] of shown.entries()) steps.set(((100 * at) / length).toFixed(2), offset(i));
  const moves = [...steps].filter(([, y], i, all) => y !== all[i - 1]?.[1]);
  const frames = moves.map(([percent, y], i) => `${i === 0 ? '0' : percent}% { transform: translateY(${y}px) }`);
  return `@keyframes ${name} { ${frames.join(' ')} }`;
}

function seconds(value: number): string {
  return `${value.toFixed(2)}s`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

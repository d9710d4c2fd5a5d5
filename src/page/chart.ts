import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { printableValue } from '../domain/printable.ts';
import { escaped, type Html, html, type Part } from './html.ts';

/** Width of charts: that of text on a narrow phone, so that their labels are readable there. */
const WIDTH = 320;

interface Drawing {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** What readers who cannot see the chart should know, in a sentence or two. */
  readonly description: string;
  readonly width?: number;
  readonly height: number;
  readonly className?: string;
}

/** The parts of a light DOM element in use. Its own types need those of a browser. */
interface SvgElement {
  readonly innerHTML: string;
  querySelectorAll(selector: string): Iterable<SvgElement>;
  getAttributeNames(): string[];
  getAttribute(name: string): string;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  remove(): void;
}

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/**
 * Draws marks as SVG. Colours come from the page's style sheet, as `var(--…)`. Removes what Plot adds: its style element, which
 * the page's policy refuses, and labels of groups, which the chart's own title and description replace.
 */
export function draw({ id, title, description, width = WIDTH, height, className }: Drawing, options: Plot.PlotOptions): Html {
  const svg = Plot.plot({ document, className: 'plot', width, height, ...options }) as unknown as SvgElement;
  for (const style of svg.querySelectorAll('style')) style.remove();
  for (const element of svg.querySelectorAll('*')) tidy(element);
  return {
    html:
      `<svg class="chart${className === undefined ? '' : ` ${className}`}" viewBox="0 0 ${width} ${height}" text-anchor="middle" ` +
      `role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${escaped(title)}</title>` +
      `<desc id="${id}-desc">${escaped(description)}</desc>${printableValue(svg.innerHTML)}</svg>`,
  };
}

/** A small picture of a mark, for a caption. @param marks drawn on 22 × 12 pixels */
export function keyMark(marks: Html): Html {
  return html`<svg class="key" viewBox="0 0 22 12" width="22" height="12" aria-hidden="true">${marks}</svg>`;
}

interface Figure {
  readonly chart: Part;
  readonly heading: Part;
  readonly note?: Part;
  /** The chart's numbers. */
  readonly table: Part;
}

/** A chart with a heading, a note that explains its marks, and its numbers to expand. */
export function figure({ chart, heading, note, table }: Figure): Html {
  return html`<figure><figcaption><h3>${heading}</h3>${note === undefined ? undefined : html`<p>${note}</p>`}</figcaption>
${chart}
<details><summary>Numbers of this chart</summary>${table}</details></figure>
`;
}

/** Text for a chart, cut to a number of characters. */
export function shortened(text: string, characters: number): string {
  const all = [...text];
  return all.length > characters ? `${all.slice(0, characters - 1).join('')}…` : text;
}

function tidy(element: SvgElement): void {
  for (const name of element.getAttributeNames()) {
    if (name.startsWith('aria-')) element.removeAttribute(name);
    else
      element.setAttribute(
        name,
        element.getAttribute(name).replace(/\d+\.\d{2,}/g, (number) => `${Number(Number(number).toFixed(1))}`),
      );
  }
}

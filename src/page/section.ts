import { type Html, html, type Part } from './html.ts';

interface Section {
  /** Target of links on the page. */
  readonly id: string;
  readonly heading: string;
  readonly body: Part;
}

export function section({ id, heading, body }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-h"><h2 id="${id}-h">${heading}</h2>
${body}</section>
`;
}

import { createHash } from 'node:crypto';
import { escaped, type Html, html, type Part } from './html.ts';
import { STYLE } from './style.ts';

/** Nothing is loaded, nothing runs, and only the style below applies. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src data:; base-uri 'none'; form-action 'none'`;

interface Document {
  readonly title: string;
  readonly header: Part;
  readonly main: Part;
  readonly footer: Part;
}

/** A self-contained HTML file. */
export function htmlDocument({ title, header, main, footer }: Document): string {
  const body: Html = html`<header>
${header}</header>
<main>
${main}</main>
<footer>
${footer}</footer>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body.html}
</body>
</html>
`;
}

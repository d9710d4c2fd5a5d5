import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Service } from '../service.ts';
import { pageModel } from './page-data.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';

/** Nothing external is loaded, only the script and the style below apply, and the script may connect to this server only. */
const PAGE_POLICY = [
  "default-src 'none'",
  `script-src ${hashOf(PAGE_SCRIPT)}`,
  `style-src ${hashOf(PAGE_STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // No string becomes markup.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/**
 * `GET /`: a form generated from the served signatures. It opens without a token, so it says nothing about the models; its
 * script fetches `GET /served.json`, with a token that the user enters if one is needed.
 */
export function addPageRoutes(app: FastifyInstance, service: Service): void {
  app.get('/', { config: { open: true } }, async (_, reply) =>
    reply
      .headers({ 'content-security-policy': PAGE_POLICY, 'referrer-policy': 'no-referrer' })
      .type('text/html; charset=utf-8')
      .send(PAGE),
  );
  app.get('/served.json', async () => ({
    models: await Promise.all(service.models.list().map(pageModel)),
    withToken: service.settings.tokens.length > 0,
  }));
}

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>score-batch serve</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<p class="kicker">score-batch serve</p>
<h1><bdi id="title">Predictions</bdi></h1>
<p class="dek" id="description"></p>
<noscript><p>This page needs JavaScript. <a href="openapi.json">openapi.json</a> describes the requests.</p></noscript>
<form class="choosers">
<label id="model-chooser" hidden>Model <select id="model"></select></label>
<label id="version-chooser" hidden>Version <select id="version"></select></label>
<label id="token-field" hidden>Access token <input id="token" type="password" autocomplete="off"></label>
</form>
</header>
<main>
<div class="pair">
<section aria-labelledby="row-title">
<div class="head"><h2 id="row-title">One row</h2><button type="button" id="example" hidden>Next example</button></div>
<form id="form"></form>
</section>
<section id="prediction" aria-labelledby="answer-title">
<div class="head"><h2 id="answer-title">Prediction</h2></div>
<div id="answer" role="status"></div>
</section>
</div>
<section id="request" aria-labelledby="code-title" hidden>
<div class="head"><h2 id="code-title">The same request as code</h2>
<fieldset><legend>Language</legend>
<label><input type="radio" name="language" value="curl" checked> curl</label>
<label><input type="radio" name="language" value="python"> Python</label>
<label><input type="radio" name="language" value="fetch"> fetch</label>
</fieldset>
<span><span id="copied" class="about" role="status"></span> <button type="button" id="copy">Copy</button></span></div>
<pre><code id="code"></code></pre>
</section>
</main>
<footer>
<p>All requests: <a href="openapi.json">openapi.json</a>. Rows are rejected by the same rules as in batch jobs.</p>
</footer>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

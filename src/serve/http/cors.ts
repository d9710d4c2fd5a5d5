import type { FastifyInstance } from 'fastify';

/** Headers of answers that scripts of other origins may read. */
const EXPOSED = 'Retry-After, Inference-Header-Content-Length, X-Request-Id';
/** Headers that such scripts may send. */
const ALLOWED = 'Authorization, Content-Encoding, Content-Type, Inference-Header-Content-Length, X-Request-Id';
/** Seconds that browsers cache a preflight; Chromium's maximum. */
const MAX_AGE = 7200;

/**
 * Lets pages of these origins call the server (Fetch standard, "CORS protocol"). Without origins it does nothing, so browsers
 * refuse. Cookies are never allowed: nothing here reads them, and tokens come in a header that pages set themselves.
 *
 * @param origins such as `https://shop.example`; `*` is any
 */
export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  app.addHook('onRequest', async ({ method, headers }, reply) => {
    // A cache must not serve one origin's answer to another.
    if (!allowed.has('*')) void reply.header('vary', 'Origin');
    const { origin } = headers;
    if (origin === undefined) return;
    if (allowed.has('*')) void reply.header('access-control-allow-origin', '*');
    else if (allowed.has(origin)) void reply.header('access-control-allow-origin', origin);
    else return;
    void reply.header('access-control-expose-headers', EXPOSED);
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return;
    void reply.headers({
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': ALLOWED,
      'access-control-max-age': String(MAX_AGE),
    });
    return reply.status(204).send();
  });
}

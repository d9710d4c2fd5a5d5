import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

/** Methods that clients send: a route refuses those it does not have. CORS handles OPTIONS. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'] as const;

/**
 * Lets every address answer 405 with `Allow` to methods that it does not have, where fastify would answer 404.
 *
 * @returns a function to call after all routes are added
 */
export function refuseOtherMethods(app: FastifyInstance): () => void {
  const routes = new Map<string, Set<HTTPMethods>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = routes.get(url) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    routes.set(url, known);
  });
  return () => {
    for (const [url, known] of [...routes]) {
      const allow = [...known].sort().join(', ');
      const others = METHODS.filter((method) => !known.has(method));
      const refuse = async ({ method }: FastifyRequest, reply: FastifyReply) =>
        reply
          .status(405)
          .header('allow', allow)
          .send({ error: `${method} is not allowed for this URL`, hint: `use ${allow}` });
      // Refuse before a body is read: fastify checks the content type first.
      app.route({ method: others, url, onRequest: refuse, handler: refuse });
    }
  };
}

import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

/** Methods that clients send: a route refuses those that it does not have. OPTIONS belongs to CORS. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'] as const;

/**
 * Lets every address answer 405 with `Allow` to methods that it does not have, where fastify would say that it is not there.
 *
 * @returns to be called after all routes are added
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
          .send({ error: `${method} is not possible here`, hint: `this address has ${allow}` });
      // Before a body is read: fastify asks for a content type first.
      app.route({ method: others, url, onRequest: refuse, handler: refuse });
    }
  };
}

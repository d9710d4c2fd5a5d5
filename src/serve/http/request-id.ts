import type { FastifyInstance } from 'fastify';
import type { Service } from '../service.ts';

/** Ids that are safe in log lines. */
const SAFE = /^[\w.:-]{1,64}$/;

/**
 * Gives each answer the id of its request, the sender's own if usable. With `log: debug` logs a line for each: route, status
 * and time, nothing that was sent.
 */
export function addRequestIds(app: FastifyInstance, { log, settings }: Service): void {
  app.addHook('onRequest', (request, reply, next) => {
    void reply.header('x-request-id', request.id);
    next();
  });
  if (settings.log !== 'debug') return;
  app.addHook('onResponse', (request, reply, next) => {
    const { method, id } = request;
    // Log the route, because the address holds what the user typed.
    const route = request.routeOptions.url ?? 'unknown route';
    const ms = Math.round(reply.elapsedTime * 1000) / 1000;
    log.debug(`${method} ${route}: ${reply.statusCode} in ${ms} ms, request ${id}`, {
      method,
      route,
      status: reply.statusCode,
      ms,
      request_id: id,
    });
    next();
  });
}

/** Creates ids that are unique across the processes of a machine. */
export function requestIds(): (request: { readonly headers: NodeJS.Dict<string | string[]> }) => string {
  const prefix = `${process.pid.toString(36)}-${Date.now().toString(36)}-`;
  let last = 0;
  return ({ headers }) => {
    const given = headers['x-request-id'];
    if (typeof given === 'string' && SAFE.test(given)) return given;
    last += 1;
    return `${prefix}${last.toString(36)}`;
  };
}

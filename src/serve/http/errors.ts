import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { HTTP_STATUS, ServeFailure } from '../failure.ts';

/** What is wrong with a malformed request, by fastify's code. */
const FORM_ERRORS: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'the URL is malformed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'the body is not as long as its Content-Length',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the Content-Type is malformed',
  FST_ERR_MAX_PARAM_LENGTH: 'a name in the URL is too long',
};

/** Converts any error to what the sender is told. */
export function failureOf(error: unknown): ServeFailure {
  if (error instanceof ServeFailure) return error;
  const { statusCode = 500, code } = error as { statusCode?: unknown; code?: unknown };
  // Fastify's own errors about malformed requests.
  if (statusCode === 413) return new ServeFailure('too large', 'the body is larger than this server accepts', { cause: error });
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new ServeFailure('invalid', FORM_ERRORS[String(code)] ?? 'the request is malformed', { cause: error });
  return new ServeFailure('internal', 'the request failed', { cause: error });
}

/** Sends `{"error": …}` with the status of the failure. */
export function sendFailure(failure: ServeFailure, reply: FastifyReply): void {
  const { kind, message, hint, details, retryAfter } = failure;
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  // Close, rather than read the rest of the body for nothing.
  if (kind === 'too large') void reply.header('connection', 'close');
  void reply.status(HTTP_STATUS[kind]).send({ error: message, ...(hint && { hint }), ...(details.length > 0 && { details }) });
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [status: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers of the request are too large'],
};

/** Answers a request that is not HTTP, or is too slow or too large to be read, and ends its connection. */
export function refuseConnection({ code = '' }: { readonly code?: string }, socket: Socket): void {
  const [status, message] = CLIENT_ERRORS[code] ?? ['400 Bad Request', 'this is not an HTTP request'];
  const body = JSON.stringify({ error: message });
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy());
}

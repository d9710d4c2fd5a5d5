import http from 'node:http';
import https from 'node:https';
import { systemCode } from '../errors.ts';
import { type Attempt, attempt, connectionProblem, NO_ANSWER, SOON_OVER } from './attempt.ts';

/** Posts a message once. Follows no redirects, and reads only the status of the answer. */
export async function postMessage(address: URL, message: object): Promise<Attempt> {
  const body = Buffer.from(JSON.stringify(message));
  return await attempt((left) => post(address, body, left));
}

function post(address: URL, body: Buffer, left: number): Promise<Attempt> {
  return new Promise((resolve) => {
    const secure = address.protocol === 'https:';
    const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length };
    // A new connection: the other side may close a kept one just as it is reused.
    const request = (secure ? https : http).request(address, { method: 'POST', agent: false, headers });
    let connected = false;
    const end = (made: Attempt) => {
      clearTimeout(timer);
      resolve(made);
      request.destroy();
    };
    const timer = setTimeout(
      () => end(connected ? { outcome: 'unknown', reason: NO_ANSWER } : { outcome: 'failed', reason: NO_ANSWER }),
      left,
    );
    request.once('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true;
      });
    });
    request.once('response', ({ statusCode = 0 }) => end(answered(statusCode)));
    request.on('error', (error) => {
      const code = systemCode(error);
      if (connected) end({ outcome: 'unknown', reason: `the connection was lost (${code ?? 'without a code'})` });
      else end({ outcome: 'failed', reason: connectionProblem(code), again: SOON_OVER.includes(code ?? '') });
    });
    request.end(body);
  });
}

function answered(status: number): Attempt {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status };
  if (status >= 300 && status < 400)
    return { outcome: 'failed', status, reason: `it answered ${status}, and redirects are not followed` };
  // A failing server, or a proxy before it, may have passed the message on.
  if (status >= 500) return { outcome: 'unknown', status, reason: `it answered ${status}` };
  return { outcome: 'failed', status, reason: `it answered ${status}` };
}

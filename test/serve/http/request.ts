import type { Serving } from '../../../src/serve/process/serving.ts';

/** An answer with its body as JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  readonly json: any;
}

/** POSTs a text as it is, anything else as JSON. */
export async function post(
  serving: Serving,
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  return await answerOf(
    fetch(serving.addresses.http + url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: text as string,
    }),
  );
}

export async function get(serving: Serving, url: string): Promise<Answer> {
  return await answerOf(fetch(serving.addresses.http + url));
}

async function answerOf(sent: Promise<Response>): Promise<Answer> {
  const response = await sent;
  return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
}

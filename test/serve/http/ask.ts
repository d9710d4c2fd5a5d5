import http from 'node:http';

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Asked {
  readonly method?: 'GET' | 'POST';
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: Buffer | string;
}

/** Sends a request with these headers and no others, `Host`, `Connection` and `Content-Length` aside. */
export function ask(url: string, { method, headers = {}, body }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The JSON of an answer. */
export function jsonOf({ body }: Answer): unknown {
  return JSON.parse(body.toString());
}

import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const BODY = JSON.stringify({
  rows: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }],
});

/** Requests that go on until they are stopped, each connection one after the other. */
export interface Load {
  /** Ends after the answers to what is sent. @returns all answers and failures */
  stop(): Promise<Sent>;
  /** So far. */
  readonly sent: Sent;
}

interface Sent {
  /** Requests by status. */
  readonly answers: Map<number, number>;
  /** What became of those without a whole answer. */
  readonly failures: string[];
  /** Answers that closed their connection. */
  closing: number;
  /** Versions of the model that answered, the latest last. */
  readonly versions: Set<string>;
}

/** Asks for predictions over kept connections. A connection that an answer closes is opened anew, as by any client. */
export function startLoad(url: string, connections = 8): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const sent: Sent = { answers: new Map(), failures: [], closing: 0, versions: new Set() };
  let stopped = false;
  const ask = async (): Promise<void> => {
    while (!stopped) {
      try {
        const { response, body } = await predict(url, agent);
        const status = response.statusCode ?? 0;
        sent.answers.set(status, (sent.answers.get(status) ?? 0) + 1);
        if (response.headers.connection === 'close') sent.closing += 1;
        const { model } = JSON.parse(body) as { model?: { version: string } };
        if (model !== undefined) sent.versions.add(model.version);
      } catch (error) {
        sent.failures.push(String(error));
        // A server that is gone would be asked thousands of times.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const asking = Promise.all(Array.from({ length: connections }, ask));
  return {
    sent,
    async stop() {
      stopped = true;
      await asking;
      agent.destroy();
      return sent;
    },
  };
}

async function predict(url: string, agent: Agent): Promise<{ readonly response: IncomingMessage; readonly body: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': BODY.length };
    const sending = request(`${url}/v1/models/iris/predict`, { method: 'POST', agent, headers }, resolve);
    sending.on('error', reject);
    sending.end(BODY);
  });
  return { response, body: await text(response) };
}

import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { systemCode } from '../errors.ts';
import { VERSION } from '../versions.ts';
import type { LineageSettings } from './settings.ts';

/** Timeout of an answer while the command is still working. */
const ANSWER_MS = 5_000;

/** After this many failed events in a row, sending pauses for `PAUSE_MS`. */
const MOST_FAILURES = 3;
const PAUSE_MS = 60_000;

/** Delays before an event is resent. */
const RETRY_MS = [200, 1_000];

/**
 * Time for the remaining events when the command ends; a stuck first one gets half of it, so that the last can still be sent.
 */
const CLOSE_MS = 1_800;

/** Statuses of a server that may accept the event a moment later. */
const PASSING = new Set([429, 500, 502, 503, 504]);

export interface Unsent {
  readonly events: number;
  readonly of: number;
  /** Why the first event was not sent. Events behind one that is never answered are lost because the command ends. */
  readonly reason: string;
}

/**
 * Sends events one after another in the background. An event that is not accepted is dropped after a few tries, and the next
 * one is sent.
 */
export class Sender {
  readonly #to: Pick<LineageSettings, 'url' | 'authorization'>;
  readonly #closing = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #stuck: AbortController | undefined;
  #taken = 0;
  #failed = 0;
  #inARow = 0;
  #reason = '';
  /** Time of the last failure. */
  #failedAt = 0;
  readonly #now: () => number;

  /** @param now milliseconds of a monotonic clock */
  constructor(to: Pick<LineageSettings, 'url' | 'authorization'>, now: () => number = () => performance.now()) {
    this.#to = to;
    this.#now = now;
  }

  /** Sends an event after those before it. @param event creates it; if that fails, only this event is lost */
  send(event: () => Promise<object>): void {
    this.#taken += 1;
    this.#last = this.#last.then(() => this.#try(event));
  }

  /** Waits briefly for the remaining events. @returns what could not be sent; undefined if everything was */
  async close(): Promise<Unsent | undefined> {
    const half = setTimeout(() => this.#stuck?.abort(), CLOSE_MS / 2);
    const all = setTimeout(() => this.#closing.abort(), CLOSE_MS);
    await this.#last;
    clearTimeout(half);
    clearTimeout(all);
    return this.#failed === 0 ? undefined : { events: this.#failed, of: this.#taken, reason: this.#reason };
  }

  async #try(event: () => Promise<object>): Promise<void> {
    const paused = this.#inARow >= MOST_FAILURES && this.#now() - this.#failedAt < PAUSE_MS;
    const failure = paused ? this.#reason : await this.#failureOf(event);
    if (failure === undefined) {
      this.#inARow = 0;
      return;
    }
    this.#failed += 1;
    if (paused) return;
    this.#inARow += 1;
    this.#reason ||= failure;
    this.#failedAt = this.#now();
  }

  async #failureOf(event: () => Promise<object>): Promise<string | undefined> {
    if (this.#closing.signal.aborted) return 'the command had ended';
    this.#stuck = new AbortController();
    const signal = AbortSignal.any([this.#stuck.signal, this.#closing.signal]);
    try {
      const body = JSON.stringify(await event());
      return await this.#sent(body, signal);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** @returns why it was not accepted; undefined if it was */
  async #sent(body: string, signal: AbortSignal): Promise<string | undefined> {
    for (const wait of [...RETRY_MS, undefined]) {
      const answer = await post(this.#to, body, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
      if (typeof answer === 'number' && answer >= 200 && answer < 300) return undefined;
      const reason = typeof answer === 'number' ? `it answered ${answer}` : answer;
      const passing = typeof answer === 'string' || PASSING.has(answer);
      if (!passing || wait === undefined || signal.aborted || !(await waited(wait, signal))) return reason;
    }
    return undefined;
  }
}

/** @returns the status, or why there is none */
function post(
  { url, authorization }: Pick<LineageSettings, 'url' | 'authorization'>,
  body: string,
  signal: AbortSignal,
): Promise<number | string> {
  return new Promise((resolve) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': `score-batch/${VERSION}`,
      ...(authorization !== undefined && { authorization }),
    };
    // A kept-alive connection would keep the process running.
    const request: ClientRequest = send(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode ?? 0));
    });
    request.once('error', (error) =>
      resolve(signal.aborted ? 'it did not answer in time' : (systemCode(error) ?? error.message)),
    );
    request.end(body);
  });
}

/** @returns false if the wait was cut short */
function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve(!signal.aborted);
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

import { z } from 'zod';
import { GRAINS } from '../domain/window.ts';

// Fields shared by several objects. No command loads these files: commands take types from them, and `npm run docs` writes
// schemas/ from them.

/** The object as commands create it: read-only. */
export type Made<T extends z.ZodType> = Unchanging<z.infer<T>>;
type Unchanging<T> = unknown extends T ? T : { readonly [K in keyof T]: Unchanging<T[K]> };

export const count = z.int().min(0);
export const text = z.string();
/** ISO 8601, UTC. */
export const instant = z.string().describe('an instant in ISO 8601, such as 2026-11-16T05:00:00.000Z');
export const label = z.string().describe('label of the window, such as 2026-W47');
export const runId = z.string().describe('id of the run');
export const job = z.string().describe('name of the job');
export const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256, hex');

const windowKind = z.enum([...GRAINS, 'ad hoc']);

export const window = z.strictObject({
  label,
  start: instant,
  end: instant,
  kind: windowKind,
  zone: z.string().describe("IANA name of the job's time zone"),
});

export const rows = z
  .strictObject({ frozen: count, scored: count, quarantined: count })
  .describe('frozen = scored + quarantined');

export const model = z.strictObject({ name: text, version: text, digest });

export const modelChanged = model
  .extend({ run_id: runId, window: label })
  .describe('the model of the previous publication, if it was a different one');

export const supersededWindow = z.strictObject({ run_id: runId, label, start: instant, end: instant });

export const acceptance = z
  .strictObject({ gates: z.array(text), reason: text, user: text.nullable(), at: instant })
  .describe('who published the run although these gates had refused it');

const difference = z.number().nullable().describe('null where a score is not a number');

export const execution = z
  .strictObject({
    provider: text,
    devices: z.array(text).describe('one session each; cuda:1 is the second GPU'),
    gpu: z.boolean().describe('whether the device is a GPU; a software adapter is not'),
    onnxruntime: z.string().describe('version of ONNX Runtime'),
    skipped: z
      .array(z.strictObject({ provider: text, why: text }))
      .describe('providers of higher preference, and why they were not used'),
    nodes: count.optional().describe('nodes of the optimized graph; absent on cpu'),
    nodes_on_cpu: count.optional().describe('how many of these nodes run on cpu; absent on cpu'),
    canary: z
      .strictObject({ rows: count, largest_difference: difference, tolerance: z.number() })
      .optional()
      .describe('golden rows of every device, compared with cpu; absent on cpu'),
  })
  .describe('where the model runs');

const seconds = z.number().min(0);

export const stageSeconds = z
  .strictObject({
    plan: seconds,
    freeze: seconds,
    score: seconds,
    reconcile: seconds,
    explain: seconds.optional(),
    publish: seconds,
    challenge: seconds.optional(),
    report: seconds,
    clean_up: seconds,
  })
  .describe('wall-clock seconds per stage');

export const workerTime = z
  .strictObject({
    workers: count,
    rows: count,
    seconds: z
      .strictObject({
        start: seconds,
        read: seconds,
        encode: seconds,
        model: seconds,
        write: seconds,
        stage: seconds,
        wait: seconds,
      })
      .describe('summed over all workers'),
    main_thread: seconds.describe('seconds that the main thread was busy'),
  })
  .describe('how the chunk workers spent the stage score');

const rate = z.number().nullable();

export const rates = z
  .strictObject({ run: rate, score: rate, model: rate })
  .describe('rows per second: of the whole run, of the stage score, of the model alone');

export const providers = z.record(text, count).describe('chunks per execution provider');

export const bottleneck = z.string().describe('what takes most of the time, for people');

export const paths = z.array(text);

/** A table's name as a string. */
export const table = z.string().describe('name of a table, parts joined by dots');

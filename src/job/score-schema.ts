import { z } from 'zod';
import { PROVIDERS, WITH_DEVICES } from '../domain/provider.ts';
import { suggestProvider } from '../suggest.ts';
import { parseBands } from './bands.ts';
import { byteSize, text } from './fields.ts';

const auto = z.literal('auto');

const providerName = z.enum(PROVIDERS, {
  error: ({ input }) => `unknown execution provider ${input}; ${suggestProvider(String(input), PROVIDERS)}`,
});

const deviceId = z.int().min(0).max(255);

const providerOptions = z
  .strictObject({
    name: providerName.describe('execution provider'),
    device_id: deviceId.optional().describe('GPU to use, counted from 0'),
    devices: z
      .array(deviceId)
      .min(1, 'name at least one device')
      .optional()
      .describe('GPUs to use, with one chunk worker each'),
  })
  .superRefine(({ name, device_id, devices }, context) => {
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    const key = devices === undefined ? 'device_id' : 'devices';
    if (devices !== undefined && device_id !== undefined) refuse('device_id', 'give either device_id or devices');
    else if ((devices ?? device_id) !== undefined && !WITH_DEVICES.includes(name))
      refuse(key, `${name} does not support a choice of devices`);
    else if (new Set(devices).size < (devices?.length ?? 0)) refuse(key, 'one device is listed twice');
  });

/** `cuda`, or `{ name: cuda, devices: [0, 1] }` → `[cuda:0, cuda:1]` */
const providers = z
  .array(z.union([providerName, providerOptions]))
  .min(1)
  .superRefine((list, context) => {
    const names = list.map((provider) => (typeof provider === 'string' ? provider : provider.name));
    for (const [i, name] of names.entries()) {
      if (names.indexOf(name) < i) context.addIssue({ code: 'custom', path: [i], message: `${name} is listed twice` });
      else if (names.indexOf('cpu') >= 0 && names.indexOf('cpu') < i)
        context.addIssue({ code: 'custom', path: [i], message: `${name} after cpu is never used, since cpu always works` });
    }
  })
  .transform((list) =>
    list.flatMap((provider) => {
      if (typeof provider === 'string') return [provider];
      const { name, device_id, devices = device_id === undefined ? undefined : [device_id] } = provider;
      return devices?.map((device) => `${name}:${device}`) ?? [name];
    }),
  );

/** `{ high: top 10%, medium: top 30% }` or `{ high: 0.9, medium: 0.8 }` → Bands */
export const bands = z
  .record(text, z.union([z.number(), z.string()], { error: 'a share like "top 10%" or a threshold like 0.9' }))
  .transform((spec, context) => {
    const parsed = parseBands(spec);
    if (typeof parsed !== 'string') return parsed;
    context.addIssue({ code: 'custom', message: parsed });
    return z.NEVER;
  });

export const score = z.strictObject({
  column: text.default('score').describe('name of the score column'),
  class: text
    .optional()
    .describe('class whose probability is the score; required for a bundle with classes unless classes is all'),
  classes: z
    .literal('all', { error: 'the only valid value is all' })
    .optional()
    .describe(
      'publish the predicted class as label, and the probability of every class in a column of its own; narrow layout only',
    ),
  bands: bands
    .prefault({ high: 'top 10%', medium: 'top 30%' })
    .describe('bands from the highest risk down: all shares (top 10%) or all thresholds (0.9)'),
  providers: providers.default(['cuda', 'cpu']).describe(`execution providers in order of preference: ${PROVIDERS.join(', ')}`),
  require_gpu: z.boolean().default(false).describe('refuse to run any part of the model on cpu'),
  chunk_rows: z
    .union([auto, z.int().min(1).max(5_000_000)], { error: 'auto or a whole number from 1 to 5,000,000' })
    .default('auto')
    .describe('approximate rows per chunk; auto is 250,000, or fewer in a small window from DuckDB to DuckDB'),
  batch_rows: z
    .union([auto, z.int().min(1).max(1_000_000)], { error: 'auto or a whole number from 1 to 1,000,000' })
    .default('auto')
    .describe('maximum rows per model call; auto depends on the width of the model'),
  reasons: z
    .strictObject({
      top: z.int().min(1).max(100_000).default(10_000).describe('how many users with the highest scores get reasons'),
      features: z.int().min(1).max(10).default(3).describe('how many features are named per user'),
    })
    .optional()
    .describe('names the features that raise the highest scores most, in the columns reason_1, reason_2, … of the tables'),
  workers: z
    .union([auto, z.int().min(1).max(256)], { error: 'auto or a whole number from 1 to 256' })
    .default('auto')
    .describe('chunk workers; auto is one per core, or one per GPU'),
  max_memory: byteSize.optional().describe('maximum memory of the process, such as 512MiB; by default, enough for its workers'),
});

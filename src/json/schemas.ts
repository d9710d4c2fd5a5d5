import { z } from 'zod';
import { backfillOutput } from './backfill.ts';
import { eraseOutput, promoteOutput, rollbackOutput } from './changes.ts';
import { compareOutput } from './compare.ts';
import { errorOutput } from './error.ts';
import { evaluateOutput } from './evaluate.ts';
import { explainOutput } from './explain.ts';
import { dropZipMapOutput, inspectFileOutput, inspectOutput, referenceOutput, tensorizeOutput, verifyOutput } from './model.ts';
import { freezeOutput, scoreOutput } from './phases.ts';
import { planOutput } from './plan.ts';
import { profileOutput } from './profile.ts';
import { modelInitOutput, pushOutput } from './registry.ts';
import { runOutput } from './run.ts';
import { compareShadowOutput, switchOutput } from './shadow.ts';
import { slicesOutput } from './slice.ts';
import { statusOutput } from './status.ts';
import { streamCompareOutput, streamPlanOutput, streamReplayOutput, streamSqlOutput } from './stream.ts';
import { checkOutput, gcOutput, initOutput, reportOutput } from './upkeep.ts';
import { JSON_VERSIONS, type JsonName, schemaName } from './versions.ts';

/** The forms of each object; most have one. */
const FORMS: Readonly<Record<JsonName, readonly z.ZodObject[]>> = {
  run: [runOutput, slicesOutput],
  backfill: [backfillOutput],
  plan: [planOutput],
  freeze: [freezeOutput],
  score: [scoreOutput],
  publish: [runOutput],
  status: [statusOutput],
  report: [reportOutput],
  explain: [explainOutput],
  evaluate: [evaluateOutput],
  profile: [profileOutput],
  compare: [compareOutput, compareShadowOutput],
  rollback: [rollbackOutput, switchOutput],
  gc: [gcOutput],
  erase: [eraseOutput],
  check: [checkOutput],
  promote: [promoteOutput, switchOutput],
  init: [initOutput],
  'model-inspect': [inspectOutput, inspectFileOutput],
  'model-verify': [verifyOutput],
  'model-tensorize': [tensorizeOutput],
  'model-drop-zipmap': [dropZipMapOutput],
  'model-reference': [referenceOutput],
  'model-push': [pushOutput],
  'model-init': [modelInitOutput],
  'stream-plan': [streamPlanOutput],
  'stream-sql': [streamSqlOutput],
  'stream-compare': [streamCompareOutput],
  'stream-replay': [streamReplayOutput],
  error: [errorOutput],
};

/** The JSON Schema (2020-12) of the object that a command prints with `--json`, or of an error. */
export function jsonSchemaOf(name: JsonName): object {
  const named = FORMS[name].map((form) => z.strictObject({ schema: z.literal(schemaName(name)), ...form.shape }));
  const [only, ...others] = named;
  const { $schema, ...body } = z.toJSONSchema(others.length === 0 && only !== undefined ? only : z.union(named));
  const title =
    name === 'error' ? 'What score-batch prints with --json if it fails' : `score-batch ${name.replace('-', ' ')} --json`;
  return { $schema, $id: `urn:score-batch:${name}:${JSON_VERSIONS[name]}`, title, ...body };
}

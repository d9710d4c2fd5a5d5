/**
 * The objects that `--json` prints, and their format versions. schemas/NAME.schema.json describes each. Properties may be added
 * to a version; it is raised if one is removed, renamed or changes its meaning.
 */
export const JSON_VERSIONS = {
  run: 1,
  backfill: 1,
  plan: 1,
  freeze: 1,
  score: 1,
  publish: 1,
  status: 1,
  report: 1,
  explain: 1,
  evaluate: 1,
  compare: 1,
  profile: 1,
  rollback: 1,
  gc: 1,
  erase: 1,
  check: 1,
  promote: 1,
  init: 1,
  'model-inspect': 1,
  'model-verify': 1,
  'model-tensorize': 1,
  'model-drop-zipmap': 1,
  'model-reference': 1,
  'model-push': 1,
  'model-init': 1,
  'stream-plan': 1,
  'stream-sql': 1,
  'stream-compare': 1,
  'stream-replay': 1,
  error: 1,
} as const;

/** A command's name, its words joined by `-`; or `error`, which every command prints instead if it fails. */
export type JsonName = keyof typeof JSON_VERSIONS;

/** `score-batch/plan/1`, the first property of the object, as `schema`. */
export function schemaName(name: JsonName): string {
  return `score-batch/${name}/${JSON_VERSIONS[name]}`;
}

export function isJsonName(name: string): name is JsonName {
  return Object.hasOwn(JSON_VERSIONS, name);
}

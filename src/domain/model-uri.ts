/** A version of a registered model as named in a job file: by an alias, which can move, or by its number. */
export type ModelUri =
  | { readonly name: string; readonly alias: string; readonly version?: undefined }
  | { readonly name: string; readonly alias?: undefined; readonly version: string };

const SCHEME = 'models:';

/** Message for a string that begins like the URI of a registered model, but is invalid. */
export const MODEL_URI_FORM =
  'write models:/NAME@ALIAS or models:/NAME/VERSION, such as models:/churn@champion or models:/churn/7';

/** Whether a string is meant as the URI of a registered model, not as a folder. */
export function isModelUri(text: string): boolean {
  return text.startsWith(SCHEME);
}

/** @returns undefined if the string is not the URI of one version of a registered model */
export function parseModelUri(text: string): ModelUri | undefined {
  const [, name, alias, version] = /^models:\/([^/:@\p{C}]{1,256})(?:@([\w-]{1,255})|\/([1-9]\d{0,9}))$/u.exec(text) ?? [];
  // `.` or `..` as a segment would change the path.
  if (name === undefined || name.trim() !== name || /^\.\.?$/.test(name)) return undefined;
  if (alias !== undefined) return { name, alias };
  return version === undefined ? undefined : { name, version };
}

/** `models:/churn/7` */
export function versionUri(name: string, version: string): string {
  return `models:/${name}/${version}`;
}

interface Grant {
  /** Matches the permission in Google's message. */
  readonly permission: RegExp;
  readonly role: string;
}

/** The narrowest predefined roles with the permissions that a run needs. */
const ON_PROJECT: readonly Grant[] = [
  { permission: /bigquery\.jobs\./, role: 'roles/bigquery.jobUser' },
  { permission: /bigquery\.readsessions\./, role: 'roles/bigquery.readSessionUser' },
];
const ON_DATASET: readonly Grant[] = [
  { permission: /bigquery\.tables\.(getData|get|list)\b|bigquery\.datasets\.get\b/, role: 'roles/bigquery.dataViewer' },
  { permission: /bigquery\.(tables|datasets)\./, role: 'roles/bigquery.dataEditor' },
];
const RESOURCE = /\b(?:Dataset|Table|View) ([\w.-]+(?::[\w.-]+)?)[:.](\w+)/i;
const ALL =
  'grant roles/bigquery.jobUser and roles/bigquery.readSessionUser on the project, roles/bigquery.dataViewer on the source, and roles/bigquery.dataEditor on scratch and on the published tables';

/** A command that grants the missing permission in Google's message; the user fills in WHO. */
export function grantFor(message: string): string {
  const project = ON_PROJECT.find(({ permission }) => permission.test(message));
  if (project) return `run: gcloud projects add-iam-policy-binding PROJECT --member=serviceAccount:WHO --role=${project.role}`;
  const dataset = ON_DATASET.find(({ permission }) => permission.test(message));
  const [, owner, name] = RESOURCE.exec(message) ?? [];
  if (dataset && name !== undefined)
    return `run: GRANT \`${dataset.role}\` ON SCHEMA \`${owner}.${name}\` TO "serviceAccount:WHO"`;
  return ALL;
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { repository } from '../support/project.ts';

const run = promisify(execFile);

/** CycloneDX's own validator, with the published schemas in it, and what it validates with. */
const PACKAGES = ['@cyclonedx/cyclonedx-library@10.3.0', 'ajv@8.20.0', 'ajv-formats@3.0.1', 'ajv-formats-draft2019@1.6.1'];

interface Library {
  readonly Spec: { readonly Version: { readonly v1dot5: string } };
  readonly Validation: {
    readonly JsonStrictValidator: new (version: string) => { validate(text: string): Promise<readonly unknown[] | null> };
  };
}

/** What is wrong with a document by the published schema of CycloneDX 1.5, without properties that the schema does not know. */
export async function cycloneDxProblems(text: string): Promise<readonly unknown[]> {
  const file = path.join(await installed(), 'node_modules/@cyclonedx/cyclonedx-library/dist.node/index.node.js');
  const library = ((await import(pathToFileURL(file).href)) as { default: Library }).default;
  return (await new library.Validation.JsonStrictValidator(library.Spec.Version.v1dot5).validate(text)) ?? [];
}

/** Installs it on first use. @returns its folder */
async function installed(): Promise<string> {
  const folder = repository('.tools', 'cyclonedx-10.3.0');
  if (existsSync(folder)) return folder;
  const part = `${folder}.${process.pid}`;
  await mkdir(part, { recursive: true });
  await run('npm', ['install', '--prefix', part, '--no-save', '--no-package-lock', '--ignore-scripts', ...PACKAGES]);
  await rename(part, folder);
  return folder;
}

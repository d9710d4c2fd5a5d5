import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { repository } from '../support/project.ts';

/** What these tests look at of a pod's container. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

export interface PodSpec {
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
}

export interface CronJob {
  readonly spec: {
    readonly jobTemplate: {
      readonly spec: {
        readonly completions: number;
        readonly podFailurePolicy: { readonly rules: readonly unknown[] };
        readonly template: { readonly spec: PodSpec };
      };
    };
  };
}

/** All objects of a manifest, as Kubernetes reads them. */
export function manifest(name: string): { readonly kind: string }[] {
  const text = readFileSync(repository('deploy', 'kubernetes', name), 'utf8');
  return parseAllDocuments(text, { merge: true }).map((document) => document.toJS() as { kind: string });
}

export function cronJob(name: string): CronJob {
  return manifest(name).find(({ kind }) => kind === 'CronJob') as unknown as CronJob;
}

/** What a pod runs, in this order. */
export function steps({ initContainers, containers }: PodSpec): readonly Container[] {
  return [...initContainers, ...containers];
}

import path from 'node:path';
import { pinnedRows, scoredRows } from '../sql/tally.ts';
import type { Sink } from '../warehouse.ts';
import { dropWorkFolder, makeWorkFolder, removeWorkFolder, workFolders } from '../work-folder.ts';
import { amend } from './amend.ts';
import { readerOf, snowflakeAudit } from './audit.ts';
import { SNOWFLAKE } from './dialect.ts';
import { dropBoundaries, dropReplaced } from './drop-replaced.ts';
import { erase } from './erase.ts';
import { identifier } from './names.ts';
import { probeSink } from './probe.ts';
import { publish } from './publish.ts';
import { readPublished } from './published.ts';
import { dropArtifact, dropRun, listArtifacts } from './scratch.ts';
import { inAccount, type Snowflake, translated } from './snowflake.ts';
import { makeStaging, stage, stagedAttempts, stageName, tallyStaged, topRows } from './staging.ts';
import { tableDifferences } from './tables.ts';
import { view } from './view.ts';

export function snowflakeSink(snowflake: Snowflake): Sink {
  const { target, scratch, job } = snowflake;
  const place = { warehouse: [target.account, ...scratch], job };
  /** Runs whose stage this process has created. */
  const made = new Map<string, Promise<void>>();
  /** Table in which this process last counted a run's staged rows. */
  const counted = new Map<string, string | undefined>();
  const staging = (runId: string, file: string): Promise<void> => {
    const making = made.get(runId) ?? makeStaging(snowflake, runId, file);
    made.set(runId, making);
    making.catch(() => made.delete(runId));
    return making;
  };
  return {
    differences: (tables) =>
      translated(
        snowflake,
        async () => {
          const found: string[] = [];
          for (const layout of Object.values(tables)) {
            if (layout !== undefined) found.push(...(await tableDifferences(snowflake, inAccount(snowflake, layout))));
          }
          return found;
        },
        'checking the tables of the job',
      ),
    probe: (targets) => translated(snowflake, () => probeSink(snowflake, targets), 'checking the permissions of the role'),
    stagesText: true,
    workFolder: (runId) => makeWorkFolder(place, runId),
    staged: (runId) => translated(snowflake, () => stagedAttempts(snowflake, runId), 'listing the staged attempts'),
    stage: (runId, scored) =>
      translated(
        snowflake,
        async () => {
          await staging(runId, scored.file);
          await stage(snowflake, runId, scored);
        },
        'staging a chunk',
      ),
    tally: (options) =>
      translated(
        snowflake,
        async () => {
          const { tally, table } = await tallyStaged(snowflake, options);
          counted.set(options.runId, table);
          return tally;
        },
        'counting the staged rows',
      ),
    topRows: (options) =>
      translated(snowflake, () => topRows(snowflake, options, counted.get(options.runId)), 'reading the highest staged scores'),
    readStaged: ({ runId, pinned, slice }, work) =>
      translated(snowflake, () => {
        const staged = pinnedRows(SNOWFLAKE, counted.get(runId) ?? '', pinned);
        return work(readerOf(snowflake), slice ? staged : scoredRows(staged));
      }),
    publish: (spec) =>
      translated(snowflake, () => publish(snowflake, spec, counted.get(spec.entry.runId)), 'publishing the scores'),
    erase: (erasure) => translated(snowflake, () => erase(snowflake, erasure), 'erasing published rows'),
    amend: (amendment) => translated(snowflake, () => amend(snowflake, amendment), 'writing an evaluation'),
    dropReplaced: (replaced) =>
      translated(snowflake, () => dropReplaced(snowflake, replaced), 'dropping replaced publications'),
    dropBoundaries: (rows) => translated(snowflake, () => dropBoundaries(snowflake, rows), 'dropping rows that were compared'),
    view: (spec) => translated(snowflake, () => view(snowflake, spec), 'creating the view'),
    published: (spec) => readPublished(snowflake, spec),
    ...snowflakeAudit(snowflake),
    stagingLocation: (runId) => `@${stageName(snowflake, runId)}`,
    showRejected: (runId) =>
      `select * from ${counted.get(runId) ?? stageName(snowflake, runId)} where ${identifier('reason')} is not null`,
    showStaged: async (runId, statement) => statement(SNOWFLAKE, counted.get(runId) ?? stageName(snowflake, runId)),
    discard: (runId) =>
      translated(snowflake, async () => {
        made.delete(runId);
        counted.delete(runId);
        await removeWorkFolder(place, runId);
        await dropRun(snowflake, runId, ['staged', 'counted', 'ranked', 'reasons']);
      }),
    listArtifacts: () =>
      translated(snowflake, async () => [
        ...(await listArtifacts(snowflake, ['staged', 'counted', 'ranked', 'reasons', 'probe'])),
        ...(await workFolders(place)),
      ]),
    drop: (artifact) =>
      translated(snowflake, () =>
        path.isAbsolute(artifact.name) ? dropWorkFolder(artifact) : dropArtifact(snowflake, artifact),
      ),
  };
}

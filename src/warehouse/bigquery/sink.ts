import path from 'node:path';
import { pinnedRows, scoredRows } from '../sql/tally.ts';
import type { Sink } from '../warehouse.ts';
import { dropWorkFolder, makeWorkFolder, removeWorkFolder, workFolders } from '../work-folder.ts';
import { amend } from './amend.ts';
import { bigqueryAudit, readerOf } from './audit.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { dropBoundaries, dropReplaced } from './drop-replaced.ts';
import { erase } from './erase.ts';
import { translated } from './errors.ts';
import { probeSink } from './probe.ts';
import { publish } from './publish.ts';
import { readPublished } from './published.ts';
import { dropTable } from './rest-tables.ts';
import { dropArtifact, listArtifacts, scratchName, scratchTable } from './scratch.ts';
import { stage, stagedAttempts, tally, topRows } from './staging.ts';
import { tableDifferences } from './tables.ts';
import { view } from './view.ts';

export function bigquerySink(connection: Connection): Sink {
  const { scratch, job } = connection;
  const place = { warehouse: [scratch.project, scratch.dataset], job };
  return {
    differences: (tables) =>
      translated(
        connection,
        async () => {
          const found: string[] = [];
          for (const layout of Object.values(tables)) if (layout) found.push(...(await tableDifferences(connection, layout)));
          return found;
        },
        'checking the tables of the job',
      ),
    probe: (targets) =>
      translated(connection, () => probeSink(connection, targets), 'checking the permissions of the credentials'),
    stagesText: true,
    workFolder: (runId) => makeWorkFolder(place, runId),
    staged: (runId) => translated(connection, () => stagedAttempts(connection, runId), 'listing the staged attempts'),
    stage: (runId, scored) => translated(connection, () => stage(connection, runId, scored), 'staging a chunk'),
    tally: (options) => translated(connection, () => tally(connection, options), 'counting the staged rows'),
    topRows: (options) => translated(connection, () => topRows(connection, options), 'reading the highest staged scores'),
    readStaged: ({ runId, pinned, slice }, work) =>
      translated(connection, () => {
        const staged = pinnedRows(BIGQUERY, scratchName(connection, 'staged', runId), pinned);
        return work(readerOf(connection), slice ? staged : scoredRows(staged));
      }),
    publish: (spec) => translated(connection, () => publish(connection, spec), 'publishing the scores'),
    amend: (amendment) => translated(connection, () => amend(connection, amendment), 'writing an evaluation'),
    dropReplaced: (replaced) =>
      translated(connection, () => dropReplaced(connection, replaced), 'dropping replaced publications'),
    dropBoundaries: (rows) =>
      translated(connection, () => dropBoundaries(connection, rows), 'dropping rows that were compared'),
    view: (spec) => translated(connection, () => view(connection, spec), 'creating the view'),
    erase: (erasure) => translated(connection, () => erase(connection, erasure), 'erasing published rows'),
    published: (spec) => readPublished(connection, spec),
    ...bigqueryAudit(connection),
    stagingLocation: (runId) => Object.values(scratchTable(connection, 'staged', runId)).join('.'),
    showRejected: (runId) => `select * from ${scratchName(connection, 'staged', runId)} where reason is not null`,
    showStaged: async (runId, statement) => statement(BIGQUERY, scratchName(connection, 'staged', runId)),
    discard: (runId) =>
      translated(connection, async () => {
        await removeWorkFolder(place, runId);
        await dropTable(connection, scratchTable(connection, 'staged', runId));
      }),
    listArtifacts: () =>
      translated(connection, async () => [
        ...(await listArtifacts(connection, ['staged', 'ranked', 'reasons', 'gone', 'probe'])),
        ...(await workFolders(place)),
      ]),
    drop: (artifact) =>
      translated(connection, () =>
        path.isAbsolute(artifact.name) ? dropWorkFolder(artifact) : dropArtifact(connection, artifact),
      ),
  };
}

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { spillFolder } from '../../duckdb/spill.ts';
import { assertWritable } from '../../writable-folder.ts';
import type { TapSink } from '../tapping.ts';
import type { Sink } from '../warehouse.ts';
import { amend } from './amend.ts';
import { duckdbAudit } from './audit.ts';
import { dropBoundaries, dropReplaced } from './drop-replaced.ts';
import { erase } from './erase.ts';
import { type DuckdbFile, translated, withFile, withMemory } from './file.ts';
import { publish } from './publish.ts';
import { readPublished } from './published.ts';
import { readStaged } from './read-staged.ts';
import { discardRun, dropArtifact, listArtifacts, makeRunFolder, runFolder } from './scratch.ts';
import { showRejected, showStaged } from './shown-staging.ts';
import { stage, stagedAttempts, stagingFolder, tallyStaged, topRows, wholeAttempt } from './staging.ts';
import { inCatalog, tableDifferences } from './tables.ts';
import { earlierAttempts, giveUp, makeTapFolder, stageTapped } from './tapped.ts';
import { view } from './view.ts';

export function duckdbSink(file: DuckdbFile): Sink & TapSink {
  return {
    async differences(tables) {
      if (!existsSync(file.path)) return [];
      const layouts = Object.values(tables).filter((layout) => layout !== undefined);
      return await withFile(file, 'read', async (database) => {
        const found: string[] = [];
        for (const layout of layouts) found.push(...(await tableDifferences(database, inCatalog(database, layout))));
        return found;
      });
    },
    probe: () =>
      translated(file.scratch, async () => {
        const id = randomBytes(4).toString('hex');
        // If the process is killed here, cleanup treats the file as spill and drops it later.
        const name = path.basename(spillFolder(file.scratch, undefined));
        for (const folder of [file.scratch, path.dirname(file.path)]) await assertWritable(folder, name);
        // The first run creates the file, not a probe.
        if (!existsSync(file.path)) return `${file.path} does not exist yet; the first run creates it`;
        await withFile(file, 'write', (database) =>
          database.run(`BEGIN TRANSACTION; CREATE TABLE score_batch_probe_${id} (x INTEGER); ROLLBACK`),
        );
        return `${file.path} can be written`;
      }),
    stagesText: false,
    workFolder: (runId) =>
      translated(file.scratch, async () => {
        await makeRunFolder(file, runId, 'staged');
        return await makeRunFolder(file, runId, 'scored');
      }),
    staged: (runId) => stagedAttempts(file, runId),
    stage: (runId, scored) => translated(file.scratch, () => stage(file, runId, scored)),
    tapFolder: (runId, attempt, batchRows) => translated(file.scratch, () => makeTapFolder(file, runId, attempt, batchRows)),
    earlier: (runId, scorer) => earlierAttempts(file, runId, scorer),
    tapped: (runId) => wholeAttempt(file, runId),
    giveUp: (runId, folder) => giveUp(file, runId, folder),
    stageTapped: (runId, folder, window) =>
      translated(file.scratch, () => stageTapped(stagingFolder(file, runId), folder, window)),
    compute: (runId, work) => withMemory(file, runFolder(file, runId), work),
    tally: (options) => tallyStaged(file, options),
    topRows: (options) => topRows(file, options),
    readStaged: (options, work) => readStaged(file, options, work),
    publish: (spec) => publish(file, spec),
    amend: (amendment) => amend(file, amendment),
    dropReplaced: (replaced) => dropReplaced(file, replaced),
    dropBoundaries: (rows) => dropBoundaries(file, rows),
    view: (spec) => view(file, spec),
    erase: (erasure) => erase(file, erasure),
    published: (spec) => readPublished(file, spec),
    ...duckdbAudit(file),
    stagingLocation: (runId) => stagingFolder(file, runId),
    showRejected: (runId) => showRejected(stagingFolder(file, runId)),
    showStaged: (runId, statement) => translated(file.scratch, () => showStaged(file, runId, statement)),
    discard: (runId) => discardRun(file, runId),
    listArtifacts: () => translated(file.scratch, () => listArtifacts(file)),
    drop: (artifact) => translated(file.scratch, () => dropArtifact(artifact)),
  };
}

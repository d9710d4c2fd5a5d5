import path from 'node:path';
import { type ComparedSide, comparePublications } from '../compare/compare-runs.ts';
import { compareStreams } from '../compare/compare-streams.ts';
import { pairedOutcomes, type ReadableRows, unpairedOutcomes } from '../compare/outcomes.ts';
import { refuseOtherClasses, refuseOtherScores } from '../compare/refuse.ts';
import { type FoundSide, findSide, refuseSameSide, rowsOfSide } from '../compare/side.ts';
import { stagedRows } from '../compare/staged-side.ts';
import type { Context } from '../context.ts';
import type { Comparison } from '../domain/comparison.ts';
import { counted } from '../domain/counted.ts';
import { scoreClass } from '../domain/score-class.ts';
import type { Job } from '../job/load.ts';
import { openWarehouses, tableNames, type Warehouses } from '../plan/warehouses.ts';
import { windowOf } from '../window/window.ts';
import { isInSample } from './in-sample.ts';
import { fewOutcomes, knownLabels } from './known-labels.ts';
import { scoreAside } from './score-aside.ts';

export interface CompareRequest {
  readonly job: Job;
  /** A window or run of the job. */
  readonly a: string;
  /** The same, of `otherJob` if set; or a bundle with which to score the window of A now. */
  readonly b: string | { readonly model: string };
  readonly otherJob: Job | undefined;
  readonly largest: number;
}

/** A job with its warehouses and its publication. */
interface Opened {
  readonly job: Job;
  readonly warehouses: Warehouses;
  readonly side: FoundSide;
}

/** One side of a comparison. */
interface Readable extends ComparedSide, ReadableRows {}

/**
 * Compares two sides; see `Comparison`.
 *
 * @throws ScoreBatchError see `findSide`, `rowsOfSide`, `refuseSameSide`, `refuseOtherKeys`
 */
export async function compareSides(request: CompareRequest, context: Context): Promise<Comparison> {
  const a = await open(request.a, request.job, context);
  if (typeof request.b !== 'string') return await compareAside(a, request.b.model, request, context);
  const other = request.otherJob === undefined ? a : await openJob(request.otherJob, context);
  const b: Opened = { ...other, side: await find(request.b, other) };
  refuseSameSide(a.side.facts, b.side.facts);
  refuseOtherScores(
    { name: a.side.facts.name, score: a.job.definition.score.column },
    { name: b.side.facts.name, score: b.job.definition.score.column },
  );
  refuseOtherClasses(
    { name: a.side.facts.name, scoreClass: a.side.run.details.score_class },
    { name: b.side.facts.name, scoreClass: b.side.run.details.score_class },
  );
  const { largest } = request;
  const bands = { a: a.job.definition.score.bands, b: b.job.definition.score.bands };
  await using _reading = a.warehouses.readTogether();
  await using _other = b.warehouses === a.warehouses ? undefined : b.warehouses.readTogether();
  const [readA, readB] = [await readable(a), await readable(b)];
  const comparison =
    sinkOf(a.job) === sinkOf(b.job)
      ? await a.warehouses.sink.read((reader) => comparePublications(reader, { a: readA, b: readB, bands, largest }))
      : await compareStreams({ a: readA, b: readB, bands, largest, signal: context.signal });
  return await withOutcomes(comparison, { a, b, readA, readB }, context);
}

async function open(name: string, job: Job, context: Context): Promise<Opened> {
  const opened = await openJob(job, context);
  return { ...opened, side: await find(name, opened) };
}

async function openJob(job: Job, context: Context): Promise<Omit<Opened, 'side'>> {
  const warehouses = await openWarehouses(job, context);
  await warehouses.reachSink();
  return { job, warehouses };
}

function find(name: string, { job, warehouses }: Omit<Opened, 'side'>): Promise<FoundSide> {
  return findSide(name, {
    definition: job.definition,
    ledger: warehouses.ledger,
    scores: tableNames(job.definition).scores,
  });
}

async function readable({ warehouses: { sink }, side }: Opened): Promise<Readable> {
  const rows = await sink.read((reader) => rowsOfSide(reader, side));
  return { facts: side.facts, rows, users: side.users, read: (work) => sink.read(work) };
}

/** Equal for two jobs if one statement can read the scores of both. */
function sinkOf({ definition: { source, sink }, root }: Job): string {
  const url = sink.warehouse ?? source.warehouse;
  const file = /^duckdb:(.*)$/s.exec(url)?.[1];
  return file === undefined ? url : path.resolve(root, file);
}

async function compareAside(a: Opened, model: string, { job, largest }: CompareRequest, context: Context): Promise<Comparison> {
  const { window: of } = a.side;
  const window = windowOf(Date.parse(of.start), Date.parse(of.end), job.definition.time_zone);
  // Check A first: without its rows, scoring others would be pointless.
  await readable(a);
  refuseOtherClasses(
    { name: a.side.facts.name, scoreClass: a.side.run.details.score_class },
    { name: model, scoreClass: scoreClass(job.definition.score) },
  );
  return await scoreAside({ job, window, model }, context, async ({ plan, runId, pinned, rows }) => {
    const { name, version } = plan.bundle.definition;
    const facts = {
      ...{ name: path.relative(context.folder, model) || model, job: job.definition.name, window: a.side.facts.window },
      ...{ run_id: runId, publication: null, rows: 'scored aside' as const },
      model: { name, version, digest: plan.bundle.digest },
    };
    await using _reading = a.warehouses.readTogether();
    const readA = await readable(a);
    return await plan.sink.readStaged({ runId, key: plan.key, pinned }, async (reader, staged) => {
      const { stagesText } = plan.sink;
      const readB: Readable = {
        ...{ facts, users: rows.scored, read: (work) => work(reader) },
        rows: stagedRows(reader.dialect, { staged, key: plan.key, stagesText }),
      };
      const own = job.definition.score.bands;
      const comparison = await comparePublications(reader, { a: readA, b: readB, bands: { a: own, b: own }, largest });
      const notes = asideNotes(comparison, rows.quarantined);
      const trained = plan.bundle.definition.trained?.through;
      const b = { ...a, trained: trained === undefined ? undefined : String(trained) };
      return await withOutcomes({ ...comparison, notes }, { a, b, readA, readB }, context);
    });
  });
}

/** Notes on how today's rows differ from the original ones. */
function asideNotes({ a, b, coverage: { only_a, only_b } }: Comparison, quarantined: number): string[] {
  return [
    only_a + only_b === 0
      ? 'B was scored from the rows that the source has now, which are of the same users as A'
      : `B was scored from the rows that the source has now, whose users are not those of A: ${counted(only_a, 'user')} of A ${only_a === 1 ? 'is' : 'are'} gone, ${counted(only_b, 'user')} ${only_b === 1 ? 'is' : 'are'} new`,
    ...(quarantined === 0 ? [] : [`B could not score ${counted(quarantined, 'row')} that the source has now`]),
    ...(a.model.digest === b.model.digest ? ['both sides have the same model, so all differences come from the rows'] : []),
  ];
}

interface Sides {
  readonly a: Opened;
  /** `trained`: what the model of B was trained through, if B has no run. */
  readonly b: Opened & { readonly trained?: string | undefined };
  readonly readA: Readable;
  readonly readB: Readable;
}

/** Adds outcomes if both sides have known ones; otherwise says why not. */
async function withOutcomes(comparison: Comparison, { a, b, readA, readB }: Sides, context: Context): Promise<Comparison> {
  const labelsOf = ({ job, warehouses: { source }, side }: Opened) =>
    knownLabels({ job, source, window: side.window, columns: side.rows.table.columns, now: context.now });
  const labels = await labelsOf(a);
  const sameWindow = a.side.window.start === b.side.window.start && a.side.window.end === b.side.window.end;
  const other = sameWindow ? labels : await labelsOf(b);
  if (labels === undefined || other === undefined) return comparison;
  const why = [...new Set([labels, other].filter((one) => typeof one === 'string'))];
  if (typeof labels === 'string' || typeof other === 'string') return { ...comparison, notes: [...comparison.notes, ...why] };
  const outcomes = sameWindow
    ? await pairedOutcomes(labels, { a: readA, b: readB }, context.signal)
    : await unpairedOutcomes({ side: readA, labels }, { side: readB, labels: other }, context.signal);
  const few = sameWindow ? fewOutcomes(outcomes.a.users, comparison.coverage.both) : undefined;
  const seen = [
    ['A', a, a.side.run.details.trained_through] as const,
    ['B', b, 'trained' in b ? b.trained : b.side.run.details.trained_through] as const,
  ].flatMap(([name, { job, side }, through]) => {
    const zone = job.definition.time_zone;
    const start = new Date(side.window.start);
    return isInSample({ start, zone }, through) === true
      ? [`the model of ${name} was trained through ${through}, so it may have seen the outcomes of ${side.window.label}`]
      : [];
  });
  return { ...comparison, outcomes, notes: [...comparison.notes, ...(few === undefined ? [] : [few]), ...seen] };
}

import { counted, grouped } from '../domain/counted.ts';
import type { Execution, Skipped } from '../domain/execution.ts';
import { fixedBatch, type ModelMetadata } from '../domain/model-metadata.ts';
import { byProvider, type ProviderText, parseProvider } from '../domain/provider.ts';
import { ScoreBatchError } from '../errors.ts';
import { batchOf } from '../runtime/batches.ts';
import { noProvider } from '../runtime/errors.ts';
import type { ModelBytes } from '../runtime/model-file.ts';
import { placeNodes } from '../runtime/placement.ts';
import type { PlacedNode } from '../runtime/profile.ts';
import { loadModel, type Session, type SessionOptions, trySession } from '../runtime/session.ts';
import { type Agreement, agreeWithCpu, agreeWithGolden } from './agreement.ts';
import type { Bundle } from './bundle.ts';
import { type Golden, readGolden } from './golden.ts';
import { checkModel } from './model-check.ts';
import { secondsPerRow } from './speed.ts';

export interface ServeOptions extends SessionOptions {
  /** Rows of a batch of the run; by default the canary has the golden rows. */
  readonly batchRows?: number;
}

/** A bundle that was tried where it is going to run. */
export interface Served {
  readonly execution: Execution;
  readonly golden: Agreement;
  readonly metadata: ModelMetadata;
  /** Seconds that one session takes for a row, measured once on one batch. */
  readonly rowSeconds: number;
}

/** Nodes that are named where they would run on cpu. */
const MAX_NAMED = 5;

/**
 * Finds the first provider that serves a bundle, and tries it there: its description, its golden rows on cpu, and on every
 * device of another provider the same rows beside cpu. It is refused here and not by every worker.
 *
 * A software adapter of WebGPU counts as cpu: it serves where cpu is not in the list, which is faster.
 *
 * @throws ScoreBatchError `configuration` where the model is not as described, scores differ, or no provider serves
 */
export async function serve(bundle: Bundle, { providers, requireGpu, batchRows = 0 }: ServeOptions): Promise<Served> {
  const model = await loadModel(bundle);
  const skipped: Skipped[] = [];
  for (const devices of byProvider(providers)) {
    const provider = devices[0] ?? 'cpu';
    const tried = await trySession(model, provider, requireGpu);
    if ('why' in tried) {
      const why = tried.forNodes ? await namedNodes(bundle, model, provider, tried.why) : tried.why;
      skipped.push({ provider, why });
    } else if (!tried.gpu && provider !== 'cpu' && providers.includes('cpu')) {
      await tried.close();
      skipped.push({ provider, why: 'there is only a software adapter, which counts as cpu and is slower' });
    } else {
      return await serveOn(bundle, model, tried, devices, skipped, batchRows);
    }
  }
  throw noProvider(model.file, skipped, requireGpu);
}

/** @param first a session on the first device, which is closed here */
async function serveOn(
  bundle: Bundle,
  model: ModelBytes,
  first: Session,
  devices: readonly ProviderText[],
  skipped: readonly Skipped[],
  batchRows: number,
): Promise<Served> {
  const { metadata, gpu, version } = first;
  const { name } = parseProvider(first.provider);
  const described = { provider: name, devices, gpu, onnxruntime: version, skipped };
  try {
    checkModel(metadata, bundle.signature, bundle.file);
    const golden = await readGolden(bundle);
    if (name === 'cpu') {
      const agreement = await agreeWithGolden(bundle, golden, first);
      const rowSeconds = await secondsPerRow(first, golden, bundle.signature.output);
      return { execution: described, golden: agreement, metadata, rowSeconds };
    }
    const onCpu = await withSession(model, 'cpu', (session) => agreeWithGolden(bundle, golden, session));
    // On a software adapter a whole batch takes seconds, and says no more.
    const canaryOf = (session: Session) =>
      agreeWithCpu(bundle, golden, session, onCpu.scores, session.gpu ? batchRows : golden.rows);
    let canary = await canaryOf(first);
    for (const device of devices.slice(1)) {
      const other = await withSession(model, device, canaryOf);
      if (other.largest > canary.largest) canary = other;
    }
    const nodes = await placement(bundle, model, first.provider, golden, metadata);
    return {
      execution: {
        ...described,
        nodes: nodes.length,
        nodes_on_cpu: onCpuOf(nodes).length,
        canary: { rows: canary.rows, largest_difference: canary.largest, tolerance: canary.tolerance },
      },
      golden: {
        rows: golden.rows,
        largest: canary.fromExpected,
        tolerance: onCpu.tolerance + canary.tolerance,
        proof: canary.proof,
      },
      metadata,
      rowSeconds: await secondsPerRow(first, golden, bundle.signature.output),
    };
  } finally {
    await first.close();
  }
}

async function withSession<T>(model: ModelBytes, provider: ProviderText, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await trySession(model, provider, false);
  if ('why' in session) {
    throw new ScoreBatchError('configuration', `${provider} does not serve ${model.file}`, {
      details: [session.why],
      hint: 'leave out of score.providers, or of its devices, what is not there',
    });
  }
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Nodes of the graph without those that the runtime adds to copy between a device and memory. */
async function placement(
  { signature }: Bundle,
  model: ModelBytes,
  provider: ProviderText,
  { inputs, rows }: Golden,
  metadata: ModelMetadata,
): Promise<PlacedNode[]> {
  const size = fixedBatch(metadata) ?? rows;
  const batch = batchOf(inputs, 0, Math.min(size, rows), size);
  const nodes = await placeNodes(model, provider, batch, [signature.output.name]);
  return nodes.filter(({ operator }) => !operator.startsWith('Memcpy'));
}

function onCpuOf(nodes: readonly PlacedNode[]): PlacedNode[] {
  return nodes.filter(({ provider }) => provider === 'cpu');
}

/** Says which nodes a provider would leave to cpu. @param otherwise what to say where that cannot be found out */
async function namedNodes(bundle: Bundle, model: ModelBytes, provider: ProviderText, otherwise: string): Promise<string> {
  const metadata = await withSession(model, provider, async (session) => session.metadata);
  checkModel(metadata, bundle.signature, bundle.file);
  const nodes = await placement(bundle, model, provider, await readGolden(bundle), metadata);
  const onCpu = onCpuOf(nodes);
  if (onCpu.length === 0) return otherwise;
  const named = onCpu.slice(0, MAX_NAMED).map(({ name, operator }) => (name === '' ? operator : `${operator} (${name})`));
  const more = onCpu.length > named.length ? [`and ${onCpu.length - named.length} more`] : [];
  return `${grouped(onCpu.length)} of ${counted(nodes.length, 'node')} would run on cpu: ${[...named, ...more].join(', ')}`;
}

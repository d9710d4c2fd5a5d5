import { counted, grouped } from '../domain/counted.ts';
import type { Execution, Skipped } from '../domain/execution.ts';
import { fixedBatch, type ModelMetadata } from '../domain/model-metadata.ts';
import { byProvider, type ProviderText, parseProvider } from '../domain/provider.ts';
import { ScoreBatchError } from '../errors.ts';
import { batchOf } from '../runtime/batches.ts';
import { noProviderError } from '../runtime/errors.ts';
import type { ModelBytes } from '../runtime/model-file.ts';
import { placeNodes } from '../runtime/placement.ts';
import type { PlacedNode } from '../runtime/profile.ts';
import { loadModel, type Session, type SessionOptions, trySession } from '../runtime/session.ts';
import { type Agreement, agreeWithCpu, agreeWithGolden } from './agreement.ts';
import type { Bundle } from './bundle.ts';
import { type Golden, readGolden } from './golden.ts';
import { checkModel } from './model-check.ts';
import { secondsPerRow } from './speed.ts';

export interface TryOptions extends SessionOptions {
  /** Rows per batch of the run; by default the canary only has the golden rows. */
  readonly batchRows?: number;
}

/** The result of trying a bundle where it will run. */
export interface TriedBundle {
  readonly execution: Execution;
  readonly golden: Agreement;
  readonly metadata: ModelMetadata;
  /** Seconds per row of one session, measured on one batch. */
  readonly rowSeconds: number;
}

/** Limits the nodes named in a message. */
const MAX_NAMED = 5;

/**
 * Finds the first provider that can run a bundle and tries it: checks the description, scores the golden rows on cpu, and
 * compares every device of another provider with cpu. A problem fails the run here, before any worker starts.
 *
 * A software adapter of WebGPU counts as cpu. It is used only if cpu, which is faster, is not in the list.
 *
 * @throws ScoreBatchError `configuration` if the model does not match its description, scores differ, or no provider can run it
 */
export async function tryBundle(bundle: Bundle, { providers, requireGpu, batchRows = 0 }: TryOptions): Promise<TriedBundle> {
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
      skipped.push({ provider, why: 'only a software adapter is available; it counts as cpu and is slower' });
    } else {
      return await tryOn({ bundle, model, first: tried, devices, skipped, batchRows });
    }
  }
  throw noProviderError(model.file, skipped, requireGpu);
}

interface Trial {
  readonly bundle: Bundle;
  readonly model: ModelBytes;
  /** A session on the first device; `tryOn` closes it. */
  readonly first: Session;
  readonly devices: readonly ProviderText[];
  readonly skipped: readonly Skipped[];
  readonly batchRows: number;
}

async function tryOn({ bundle, model, first, devices, skipped, batchRows }: Trial): Promise<TriedBundle> {
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
    // A whole batch would take seconds on a software adapter and reveal nothing more.
    const canaryOf = (session: Session) =>
      agreeWithCpu({ bundle, golden, session, expected: onCpu.scores, rows: session.gpu ? batchRows : golden.rows });
    let canary = await canaryOf(first);
    for (const device of devices.slice(1)) {
      const other = await withSession(model, device, canaryOf);
      if (other.largest > canary.largest) canary = other;
    }
    const nodes = await placement(bundle, model, first.provider, { golden, metadata });
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
    throw new ScoreBatchError('configuration', `${provider} cannot run ${model.file}`, {
      details: [session.why],
      hint: 'remove providers and devices from score.providers that this machine does not have',
    });
  }
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Nodes of the graph, without the copies between a device and memory that the runtime adds. */
async function placement(
  { signature }: Bundle,
  model: ModelBytes,
  provider: ProviderText,
  { golden, metadata }: { readonly golden: Golden; readonly metadata: ModelMetadata },
): Promise<PlacedNode[]> {
  const { inputs, rows } = golden;
  const size = fixedBatch(metadata) ?? rows;
  const batch = batchOf(inputs, 0, Math.min(size, rows), size);
  const nodes = await placeNodes(model, provider, batch, [signature.output.name]);
  return nodes.filter(({ operator }) => !operator.startsWith('Memcpy'));
}

function onCpuOf(nodes: readonly PlacedNode[]): PlacedNode[] {
  return nodes.filter(({ provider }) => provider === 'cpu');
}

/** Names the nodes that a provider would leave to cpu. @param otherwise the text to return if there are none */
async function namedNodes(bundle: Bundle, model: ModelBytes, provider: ProviderText, otherwise: string): Promise<string> {
  const metadata = await withSession(model, provider, async (session) => session.metadata);
  checkModel(metadata, bundle.signature, bundle.file);
  const nodes = await placement(bundle, model, provider, { golden: await readGolden(bundle), metadata });
  const onCpu = onCpuOf(nodes);
  if (onCpu.length === 0) return otherwise;
  const named = onCpu.slice(0, MAX_NAMED).map(({ name, operator }) => (name === '' ? operator : `${operator} (${name})`));
  const more = onCpu.length > named.length ? [`and ${onCpu.length - named.length} more`] : [];
  return `${grouped(onCpu.length)} of ${counted(nodes.length, 'node')} would run on cpu: ${[...named, ...more].join(', ')}`;
}

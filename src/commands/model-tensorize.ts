import path from 'node:path';
import type { Context } from '../context.ts';
import { counted, grouped } from '../domain/counted.ts';
import type { TensorizeOutput } from '../json/model.ts';
import { loadBundle } from '../model/bundle.ts';
import { tensorizeBundle } from '../tensorize/bundle.ts';
import { VERSION } from '../versions.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

export interface TensorizeFlags extends ModelFlags {
  readonly out: string;
  readonly force?: boolean;
}

/** Converts the trees of a model to tensor operations, in a new bundle. */
export async function tensorizeCommand(
  folder: string,
  flags: TensorizeFlags,
  { folder: root, console }: Context,
): Promise<{ data: TensorizeOutput; text: string }> {
  const original = await loadBundle(path.resolve(root, folder));
  const out = path.resolve(root, flags.out);
  const { bundle, ensembles, dropped, verified } = await tensorizeBundle(original, {
    out,
    providers: sessionOptions(flags).providers.filter((provider) => provider !== 'cpu'),
    force: flags.force === true,
    by: `score-batch ${VERSION} model tensorize`,
  });
  console.warn('on cpu the original is 10 to 30 times faster: use the new bundle only with a GPU');
  if (dropped !== undefined) {
    console.warn(`the new bundle leaves out the output ${dropped}, because no GPU computes labels; it keeps the probabilities`);
  }
  const trees = ensembles.flatMap(({ ensemble }) => ensemble.nodes.trees);
  const depth = trees.reduce((most, tree) => Math.max(most, tree.depth), 0);
  const { name, version } = bundle.definition;
  const compared = verified.map(({ execution, golden, random, edge, largest, tolerance }) => ({
    provider: execution.provider,
    // On cpu there are no node counts.
    ...(execution.nodes !== undefined && { nodes: execution.nodes, nodes_on_cpu: execution.nodes_on_cpu }),
    golden_rows: golden,
    random_rows: random,
    rows_at_thresholds: edge,
    largest_difference: largest,
    tolerance,
  }));
  return {
    data: { name, version, folder: out, digest: bundle.digest, origin: original.digest, trees: trees.length, depth, compared },
    text: [
      `wrote ${out}: ${name} ${version}, trees as tensor operations (${trees.length}, depth ${depth})`,
      ...compared.map(
        (on) =>
          `equal to the original on ${on.provider}: ${grouped(on.golden_rows)} golden, ${grouped(on.random_rows)} random and ${counted(on.rows_at_thresholds, 'row')} at thresholds, largest difference ${on.largest_difference.toExponential(1)} (tolerance ${on.tolerance})${on.nodes === undefined ? '' : `; ${grouped(on.nodes_on_cpu ?? 0)} of ${counted(on.nodes, 'node')} on cpu`}`,
      ),
      `next: run \`score-batch model inspect ${flags.out}\` to see what a GPU would run`,
    ].join('\n'),
  };
}

import path from 'node:path';
import type { Context } from '../context.ts';
import type { DropZipMapOutput } from '../json/model.ts';
import { loadBundle } from '../model/bundle.ts';
import { showColumns } from '../zipmap/cut.ts';
import { dropZipMap } from '../zipmap/drop.ts';

export interface DropZipMapFlags {
  readonly out: string;
  readonly force?: boolean;
}

/** Writes a model file without its ZipMap: the probability tensor becomes the output. */
export async function dropZipMapCommand(
  given: string,
  flags: DropZipMapFlags,
  { folder }: Context,
): Promise<{ data: DropZipMapOutput; text: string }> {
  const from = path.resolve(folder, given);
  const bundle = from.endsWith('.onnx') ? undefined : await loadBundle(from);
  const out = path.resolve(folder, flags.out);
  const { zipMaps, digest, rows } = await dropZipMap(bundle?.file ?? from, {
    out,
    force: flags.force === true,
    signature: bundle?.signature,
  });
  const columns = zipMaps.map(({ output, tensor, classes }) => ({
    dropped: output,
    output: tensor,
    classes: classes ?? null,
  }));
  return {
    data: { file: out, digest, outputs: columns, random_rows: rows },
    text: [
      `wrote ${out}`,
      `sha256    ${digest}`,
      ...zipMaps.map((zipMap) => `output    ${zipMap.tensor} instead of ${zipMap.output}, ${showColumns(zipMap)}`),
      `bit for bit equal to the original on ${rows} random rows`,
      `next: set sha256 and output in model.yaml; \`score-batch model inspect ${flags.out}\` prints one to start from`,
    ].join('\n'),
  };
}

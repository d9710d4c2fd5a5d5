import { closest, distance } from 'fastest-levenshtein';

/** The candidate closest to `word`; undefined if more than a third of the letters differ. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const best = closest(word, candidates);
  return distance(word, best) <= Math.max(2, Math.floor(word.length / 3)) ? best : undefined;
}

/** A hint: `did you mean …?`, or the whole list if no candidate is close. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const best = nearest(word, candidates);
  return best === undefined ? `choose from ${candidates.join(', ')}` : `did you mean ${best}?`;
}

/** `didYouMean` for an execution provider. Also knows common other names, such as `gpu`. @param providers supported names */
export function suggestProvider(word: string, providers: readonly string[]): string {
  // ONNX Runtime's own names end in ExecutionProvider. By edit distance alone, `gpu` would suggest `cpu`.
  const short = word.toLowerCase().replace(/executionprovider$/, '');
  if (/^(gpu|nvidia|amd|intel|rocm|directml|vulkan)$/.test(short)) {
    return 'for a GPU write cuda or tensorrt (NVIDIA), or webgpu (any)';
  }
  return didYouMean(short, providers);
}

import { closest, distance } from 'fastest-levenshtein';

/** The candidate that `word` most likely meant, or undefined when none is near (more than a third of its letters differ). */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const best = closest(word, candidates);
  return distance(word, best) <= Math.max(2, Math.floor(word.length / 3)) ? best : undefined;
}

/** `did you mean …?` for a hint, or the whole list where nothing is near. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const best = nearest(word, candidates);
  return best === undefined ? `choose from ${candidates.join(', ')}` : `did you mean ${best}?`;
}

/** The same for an execution provider, which people also know by other names. @param providers those that there are */
export function providerMeant(word: string, providers: readonly string[]): string {
  // As in ONNX Runtime's own names; `gpu` is no slip for `cpu`.
  const short = word.toLowerCase().replace(/executionprovider$/, '');
  if (/^(gpu|nvidia|amd|intel|rocm|directml|vulkan)$/.test(short)) {
    return 'for a GPU write cuda or tensorrt (NVIDIA), or webgpu (any)';
  }
  return didYouMean(short, providers);
}

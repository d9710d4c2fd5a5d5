/** A target machine: `process.platform` and `process.arch`. */
export interface Platform {
  readonly platform: string;
  readonly arch: string;
}

/** Why a file is left out of the image. */
export type Reason =
  | 'of other platforms'
  | 'source maps'
  | 'TypeScript'
  | 'for browsers and phones'
  | 'tests and examples'
  | 'documents';

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];

/** `bin/napi-v6/linux/arm64/…`, `sf_mini_core_0.0.1.darwin-x64.node` */
const NATIVE = new RegExp(`[/.](${SYSTEMS.join('|')})[-/](arm|arm64|ia32|loong64|ppc64|riscv64|s390x|x64)[-./]`);

const PATTERNS: readonly (readonly [reason: Reason, pattern: RegExp])[] = [
  ['source maps', /\.map$/],
  // Node 20 cannot run it; the compiled file is next to it.
  ['TypeScript', /\.[cm]?tsx?$|\.tsbuildinfo$/],
  ['for browsers and phones', /\/dist\/(?:browser|react-native)\//],
  // Only at the top of a package: further down, such a folder can be part of its code.
  ['tests and examples', /^(?:@[^/]+\/)?[^/]+\/(?:tests?|__tests__|examples?|docs?|benchmarks?)\//],
  ['documents', /\.(?:md|markdown)$/i],
];

const LICENCE = /(?:^|\/)(?:licen[cs]e|copying|notice|copyright|authors)[^/]*$/i;

/**
 * Why score-batch never reads a file of an installed package on this platform.
 *
 * @param file path inside node_modules, with `/`; packages may be nested
 * @param hasLicence whether the package has a licence file; otherwise its readme states the licence
 * @returns undefined if the file is needed
 */
export function unneeded(file: string, { platform, arch }: Platform, hasLicence: boolean): Reason | undefined {
  if (LICENCE.test(file)) return undefined;
  const inside = file.slice(file.lastIndexOf('/node_modules/') + 1).replace(/^node_modules\//, '');
  const [, system, processor] = NATIVE.exec(inside) ?? [];
  if (system !== undefined && (system !== platform || processor !== arch)) return 'of other platforms';
  if (/-musl\.node$/.test(inside)) return 'of other platforms';
  const reason = PATTERNS.find(([, pattern]) => pattern.test(inside))?.[0];
  return reason === 'documents' && !hasLicence ? undefined : reason;
}

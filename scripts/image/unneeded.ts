/** What a machine of one kind runs: `process.platform` and `process.arch`. */
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
  // Node 20 runs none; what is compiled stands beside it.
  ['TypeScript', /\.[cm]?tsx?$|\.tsbuildinfo$/],
  ['for browsers and phones', /\/dist\/(?:browser|react-native)\//],
  // Only at the top of a package: further down, such a name can be a part of its code.
  ['tests and examples', /^(?:@[^/]+\/)?[^/]+\/(?:tests?|__tests__|examples?|docs?|benchmarks?)\//],
  ['documents', /\.(?:md|markdown)$/i],
];

const LICENCE = /(?:^|\/)(?:licen[cs]e|copying|notice|copyright|authors)[^/]*$/i;

/**
 * Why nothing that score-batch does on a machine of this kind reads a file of an installed package.
 *
 * @param file path inside node_modules, with `/`; a file of a package inside a package likewise
 * @param hasLicence whether the package has a file of its licence. Where it has none, its readme says what the licence is.
 * @returns undefined for a file that is needed
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

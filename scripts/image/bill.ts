/** A CycloneDX 1.5 component. Unlisted fields are kept. */
export interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly licenses?: readonly Licence[];
  readonly [other: string]: unknown;
}

type Licence = { readonly license: { readonly id?: string; readonly name?: string } } | { readonly expression: string };

export interface Bill {
  readonly metadata: { readonly component: Component; readonly [other: string]: unknown };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly [other: string]: unknown;
}

/** An installed Debian package. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Text of its `/usr/share/doc/NAME/copyright`. */
  readonly copyright: string | undefined;
}

interface System {
  /** `ID` and `VERSION_ID` of /etc/os-release. */
  readonly name: string;
  readonly version: string;
  readonly packages: readonly DebianPackage[];
}

interface Contents {
  /** What `npm sbom` reports about installed packages. */
  readonly npm: Bill;
  /** Text of dist/THIRD-PARTY.txt. */
  readonly notice: string;
  readonly node: { readonly version: string; readonly sha256: string };
  readonly system: System;
}

/** A CycloneDX document of everything in the image: npm's packages, bundled packages, Node, and system packages. */
export function billOfMaterials({ npm, notice, node, system }: Contents): Bill {
  const root: Component = { ...npm.metadata.component, type: 'application', name: 'score-batch' };
  const installed = new Set(npm.components.map((component) => component['bom-ref']));
  // A package in several folders is listed several times.
  const bundled = [...new Map(bundledPackages(notice).map((component) => [component['bom-ref'], component])).values()].filter(
    (component) => !installed.has(component['bom-ref']),
  );
  const runtime: Component = {
    'bom-ref': `node@${node.version}`,
    type: 'application',
    name: 'node',
    version: node.version,
    purl: `pkg:generic/node@${node.version}`,
    hashes: [{ alg: 'SHA-256', content: node.sha256 }],
    licenses: [{ license: { id: 'MIT' } }],
  };
  const base: Component = {
    'bom-ref': `${system.name}@${system.version}`,
    type: 'operating-system',
    name: system.name,
    version: system.version,
  };
  const packages = system.packages.map((one) => debianComponent(one, system));
  const own = [...bundled, runtime, base].map((component) => component['bom-ref']);
  return {
    ...npm,
    metadata: { ...npm.metadata, lifecycles: [{ phase: 'build' }], component: root },
    components: [...npm.components, ...bundled, runtime, base, ...packages],
    dependencies: [
      ...npm.dependencies.map((one) => (one.ref === root['bom-ref'] ? { ...one, dependsOn: [...one.dependsOn, ...own] } : one)),
      { ref: base['bom-ref'], dependsOn: packages.map((component) => component['bom-ref']) },
    ],
  };
}

/** Packages whose code is part of dist/, from lines such as `zod 4.6.7: MIT`. */
function bundledPackages(notice: string): Component[] {
  return [...notice.matchAll(/^(\S+) (\d+\.\S+): (.+)$/gm)].map(([, name = '', version = '', licence = '']) => ({
    'bom-ref': `${name}@${version}`,
    type: 'library',
    name,
    version,
    scope: 'required',
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licenses: [/\s/.test(licence) ? { expression: licence } : { license: { id: licence } }],
    properties: [{ name: 'score-batch:bundled', value: 'true' }],
  }));
}

function debianComponent({ name, version, architecture, copyright }: DebianPackage, system: System): Component {
  const encoded = encodeURIComponent(version);
  const purl = `pkg:deb/${system.name}/${name}@${encoded}?arch=${architecture}&distro=${system.name}-${system.version}`;
  return {
    'bom-ref': purl,
    type: 'library',
    name,
    version,
    purl,
    licenses: debianLicences(name, copyright).map((one) => ({ license: { name: one } })),
  };
}

/** Debian's short names, such as `GPL-3+`, if the file is machine-readable; otherwise a name that points to the text. */
function debianLicences(name: string, copyright = ''): string[] {
  const names = [...copyright.matchAll(/^License:[ \t]*(\S.*)$/gm)].map(([, licence = '']) => licence.trim());
  return names.length > 0 ? [...new Set(names)] : [`see /usr/share/doc/${name}/copyright`];
}

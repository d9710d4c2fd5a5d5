import { readFileSync } from 'node:fs';
import { slug } from '../../scripts/doc-pages.ts';
import { repository } from './project.ts';

interface Block {
  /** What stands behind the fence: `yaml job`. */
  readonly info: string;
  readonly text: string;
}

/** What of a Markdown page can be checked. */
export interface Page {
  /** Path inside the repository. */
  readonly file: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Lines of running text: no fenced block, no row of a table. */
  readonly prose: readonly string[];
  /** Texts between backticks, outside of blocks. */
  readonly spans: readonly string[];
  /** Targets of links and images, outside of code. */
  readonly links: readonly string[];
  /** Names of the anchors of its headings. */
  readonly anchors: ReadonlySet<string>;
}

const FENCED = /^( *)```(.*)\n([\s\S]*?)\n\1```$/gm;

export function readPage(file: string): Page {
  const text = readFileSync(repository(file), 'utf8');
  const outside = text.replaceAll(FENCED, '');
  const lines = outside.split('\n');
  return {
    file,
    text,
    blocks: [...text.matchAll(FENCED)].map(([, , info = '', body = '']) => ({ info, text: body })),
    prose: lines.filter((line) => !line.startsWith('|')),
    spans: [...outside.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll(/\s+/g, ' ').replaceAll('\\|', '|')),
    links: [...outside.replaceAll(/`[^`]*`/g, '').matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
    anchors: anchorsOf(lines),
  };
}

/** As GitHub names them: a heading that repeats gets a number. */
function anchorsOf(lines: readonly string[]): Set<string> {
  const seen = new Map<string, number>();
  const names = lines.flatMap((line) => {
    const [, heading] = /^#{1,6} (.+)$/.exec(line) ?? [];
    if (heading === undefined) return [];
    const name = slug(heading.replaceAll(/[`*]|\]\([^)]*\)|\[/g, ''));
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return [before === 0 ? name : `${name}-${before}`];
  });
  return new Set(names);
}

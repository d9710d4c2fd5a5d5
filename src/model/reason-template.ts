import { didYouMean } from '../suggest.ts';

/** What a template may insert: the row's value, the usual value of the baseline rows, and the feature's name. */
const PLACEHOLDERS = ['value', 'usual', 'name'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

const DEFAULT = '{name} {value}, usually {usual}';

/** What is wrong with the template of a reason: clauses that name the placeholder. */
export function templateProblems(template: string): string[] {
  const unknown = placeholdersOf(template).filter((name) => !isPlaceholder(name));
  const stray = /[{}]/.test(template.replace(/\{[^{}]*\}/g, ''));
  return [
    ...unknown.map((name) => `{${name}} is not a placeholder of a reason: ${didYouMean(name, PLACEHOLDERS)}`),
    ...(stray ? ['the reason has an unmatched brace'] : []),
  ];
}

/** The text of a reason. What is inserted is not searched for placeholders. */
export function fillTemplate(template: string | undefined, values: Readonly<Record<Placeholder, string>>): string {
  return (template ?? DEFAULT).replace(/\{([^{}]*)\}/g, (whole, name: string) => (isPlaceholder(name) ? values[name] : whole));
}

function placeholdersOf(template: string): string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
}

function isPlaceholder(name: string): name is Placeholder {
  return PLACEHOLDERS.some((known) => known === name);
}

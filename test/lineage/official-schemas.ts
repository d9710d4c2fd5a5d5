import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { EVENT_SCHEMA, type Facet, type Facets, type RunEvent } from '../../src/lineage/facets.ts';
import { repository } from '../support/project.ts';

/** Facets of an event, with their places. */
export function facetsOf({ run, job, inputs, outputs }: RunEvent): { readonly name: string; readonly facet: Facet }[] {
  const all: (Facets | undefined)[] = [
    run.facets,
    job.facets,
    ...inputs.flatMap((dataset) => [dataset.facets, dataset.inputFacets]),
    ...outputs.flatMap((dataset) => [dataset.facets, dataset.outputFacets]),
  ];
  return all.flatMap((facets) => Object.entries(facets ?? {}).map(([name, facet]) => ({ name, facet })));
}

function checker(): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat('uri', (text) => URL.canParse(text));
  ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  return ajv;
}

/** What is wrong with facets of our own, by their schema in the package. */
export function ownFacetErrors(events: readonly RunEvent[]): unknown[] {
  const validate = checker().compile(
    JSON.parse(readFileSync(repository('schemas/lineage/run-facet.schema.json'), 'utf8')) as object,
  );
  return events.flatMap(({ run }) => (validate(run.facets.scoreBatch_run) ? [] : (validate.errors ?? [])));
}

/**
 * What is wrong with events and their facets by the schemas that OpenLineage publishes. A facet is checked by the version that is
 * there, which may be older or newer by a patch.
 *
 * @param folder `spec` of a checkout of the OpenLineage repository
 */
export function officialErrors(events: readonly RunEvent[], folder: string): unknown[] {
  const ajv = checker();
  const files = readdirSync(path.join(folder, 'facets')).filter((file) => file.endsWith('.json'));
  const places = new Map<string, { readonly id: string; readonly keys: readonly string[] }>();
  for (const file of ['OpenLineage.json', ...files.map((name) => path.join('facets', name))]) {
    const schema = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as { $id: string; properties?: object };
    ajv.addSchema(schema);
    places.set(path.basename(file), { id: schema.$id, keys: Object.keys(schema.properties ?? {}) });
  }
  const errorsBy = (url: string, value: unknown): unknown[] => {
    const validate = ajv.getSchema(url);
    if (validate === undefined) return [`there is no schema ${url}`];
    return validate(value) ? [] : [{ url, errors: validate.errors }];
  };
  return events.flatMap((event) => [
    ...errorsBy(EVENT_SCHEMA, event),
    ...errorsBy(EVENT_SCHEMA.replace(/#.*/, ''), event),
    ...facetsOf(event)
      .filter(({ name }) => name !== 'scoreBatch_run')
      .flatMap(({ name, facet }) => {
        const [, version = '', file = '', pointer = ''] = /\/(\d+-\d+)-\d+\/(\w+\.json)(#.*)$/.exec(facet._schemaURL) ?? [];
        const { id = '', keys = [] } = places.get(file) ?? {};
        const isPlace = id.includes(`/${version}-`) && keys.includes(name);
        return [...(isPlace ? [] : [`${name} is not the place of ${facet._schemaURL}`]), ...errorsBy(id + pointer, facet)];
      }),
  ]);
}

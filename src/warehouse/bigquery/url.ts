import { showUrl } from '../../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';

/** The parts of a warehouse's URL: `bigquery://project/dataset?location=EU`. */
export interface BigqueryUrl {
  readonly project: string;
  /** Default dataset of tables, in the job's query too. */
  readonly dataset: string;
  /** Region or multi-region; undefined for the dataset's own. */
  readonly location: string | undefined;
}

/** Project ids may be domain-scoped: `example.com:project`. */
const URL_FORM = /^bigquery:\/\/([a-z][a-z0-9.:-]*)\/(\w+)\/?(?:\?(.*))?$/i;
const PARAMETERS = ['location'];
const EXAMPLE = 'write it like bigquery://project/dataset?location=EU';

/** @throws ScoreBatchError `configuration` if the URL is not valid or has an unknown parameter */
export function parseUrl(url: string): BigqueryUrl {
  const [, project, dataset, query = ''] = URL_FORM.exec(url) ?? [];
  if (project === undefined || dataset === undefined) {
    throw new ScoreBatchError('configuration', `${showUrl(url)} does not name a BigQuery dataset`, { hint: EXAMPLE });
  }
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (PARAMETERS.includes(name)) continue;
    throw new ScoreBatchError('configuration', `${showUrl(url)} has the unknown parameter ${name}`, {
      hint: didYouMean(name, PARAMETERS),
    });
  }
  const location = parameters.get('location') ?? undefined;
  if (location !== undefined && !/^[\w-]+$/.test(location)) {
    throw new ScoreBatchError('configuration', `${JSON.stringify(location)} in ${showUrl(url)} is not a valid location`, {
      hint: EXAMPLE,
    });
  }
  return { project, dataset, location };
}

import { setTimeout as sleep } from 'node:timers/promises';

interface Run {
  readonly runId: string;
  readonly status: string;
  readonly partition: string | undefined;
}

/** What an asset's event says: a materialization, or an observation. */
interface AssetEvent {
  readonly partition: string;
  readonly runId: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What these tests ask of Dagster's GraphQL API. */
export interface Dagster {
  /** Backfills partitions, as the button of the UI does. @returns the runs in the order of their partitions, once all are over */
  backfill(partitions: readonly string[]): Promise<Run[]>;
  /** Launches the job for a partition. @returns the run's id */
  launch(partition: string): Promise<string>;
  over(run: string): Promise<Run>;
  /** Asks a run to end, as the button of the UI does. */
  terminate(run: string): Promise<void>;
  /** Types and texts of a run's events so far. */
  events(run: string): Promise<{ readonly type: string; readonly message: string }[]>;
  asset(): Promise<{ readonly materializations: AssetEvent[]; readonly observations: AssetEvent[] }>;
}

const ENDS = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);
const ASSET = { path: ['churn_scores'] };
const METADATA = `partition runId metadataEntries { label
  ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } ... on BoolMetadataEntry { boolValue } }`;

type Entries = readonly (Readonly<Record<string, unknown>> & { readonly label: string })[];

/** @throws Error with what Dagster says where it refuses a request */
export async function connectDagster(url: string): Promise<Dagster> {
  async function ask<T>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const body = JSON.stringify({ query, variables });
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const answer = (await response.json()) as { data: T; errors?: unknown };
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
    return answer.data;
  }
  async function runs(filter: Readonly<Record<string, unknown>>): Promise<Run[]> {
    const query =
      'query($f: RunsFilter) { runsOrError(filter: $f) { ... on Runs { results { runId status tags { key value } } } } }';
    type Found = { runsOrError: { results: (Run & { tags: { key: string; value: string }[] })[] } };
    const { results } = (await ask<Found>(query, { f: filter })).runsOrError;
    return results
      .map(({ runId, status, tags }) => ({
        runId,
        status,
        partition: tags.find(({ key }) => key === 'dagster/partition')?.value,
      }))
      .sort((a, b) => (a.partition ?? '').localeCompare(b.partition ?? ''));
  }
  async function over(filter: Readonly<Record<string, unknown>>, count: number): Promise<Run[]> {
    for (;;) {
      const found = await runs(filter);
      if (found.length === count && found.every(({ status }) => ENDS.has(status))) return found;
      await sleep(500);
    }
  }
  const events = (list: readonly { partition: string; runId: string; metadataEntries: Entries }[]): AssetEvent[] =>
    list.map(({ partition, runId, metadataEntries }) => ({
      partition,
      runId,
      metadata: Object.fromEntries(
        metadataEntries.map(({ label, text, intValue, boolValue }) => [label, text ?? intValue ?? boolValue]),
      ),
    }));
  const { repositoriesOrError: repositories } = await ask<{
    repositoriesOrError: { nodes: { name: string; location: { name: string } }[] };
  }>('{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }');
  const [repository] = repositories.nodes;

  return {
    async backfill(partitions) {
      const query = `mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }`;
      const p = { assetSelection: [ASSET], partitionNames: partitions };
      const { launchPartitionBackfill: launched } = await ask<{ launchPartitionBackfill: Record<string, string> }>(query, {
        p,
      });
      if (launched.backfillId === undefined) throw new Error(JSON.stringify(launched));
      return await over({ tags: [{ key: 'dagster/backfill', value: launched.backfillId }] }, partitions.length);
    },
    async launch(partition) {
      const query = `mutation($p: ExecutionParams!) { launchRun(executionParams: $p) {
        __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }`;
      const p = {
        selector: {
          repositoryLocationName: repository?.location.name,
          repositoryName: repository?.name,
          jobName: 'score_batch_weekly',
        },
        mode: 'default',
        executionMetadata: { tags: [{ key: 'dagster/partition', value: partition }] },
        runConfigData: {},
      };
      const { launchRun: launched } = await ask<{ launchRun: { run?: { runId: string } } }>(query, { p });
      if (launched.run === undefined) throw new Error(JSON.stringify(launched));
      return launched.run.runId;
    },
    async over(run) {
      const [found] = await over({ runIds: [run] }, 1);
      return found as Run;
    },
    async terminate(run) {
      const query = 'mutation($r: String!) { terminateRun(runId: $r, terminatePolicy: SAFE_TERMINATE) { __typename } }';
      const { terminateRun } = await ask<{ terminateRun: { __typename: string } }>(query, { r: run });
      if (terminateRun.__typename !== 'TerminateRunSuccess') throw new Error(terminateRun.__typename);
    },
    async events(run) {
      const query = `query($r: ID!) { logsForRun(runId: $r) { ... on EventConnection { events {
        __typename ... on MessageEvent { message } ... on ExecutionStepFailureEvent { error { message } } } } } }`;
      type Found = { logsForRun: { events: { __typename: string; message: string; error?: { message: string } }[] } };
      const { logsForRun } = await ask<Found>(query, { r: run });
      return logsForRun.events.map(({ __typename: type, message, error }) => ({
        type,
        message: `${message} ${error?.message ?? ''}`,
      }));
    },
    async asset() {
      const query = `query($k: AssetKeyInput!) { assetOrError(assetKey: $k) { ... on Asset {
        assetMaterializations { ${METADATA} } assetObservations { ${METADATA} } } } }`;
      type Events = { partition: string; runId: string; metadataEntries: Entries }[];
      type Found = { assetOrError: { assetMaterializations: Events; assetObservations: Events } };
      const { assetOrError } = await ask<Found>(query, { k: ASSET });
      return {
        materializations: events(assetOrError.assetMaterializations),
        observations: events(assetOrError.assetObservations),
      };
    },
  };
}

"""Scores the new users of each week on several machines: freeze, score in shards, publish.

Copy it per job and change the constants. A run's data interval is the window, so that a backfill, a rerun and
`score-batch --week 2026-W47` on a laptop publish to the same place. To score a week again because its data were mended,
clear the whole DAG run, not single tasks: `freeze` then begins anew.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable, Param, task
from score_batch_operator import ScoreBatchOperator

# As in the job file: weeks begin at midnight there, also where clocks change.
TIME_ZONE = "America/New_York"
# Longest time that one command may take. score-batch then ends by itself with 69; Airflow ends it if it does not.
LIMIT = timedelta(hours=2)
GRACE = timedelta(minutes=5)

WINDOW = "--from '{{ data_interval_start | ts }}' --to '{{ data_interval_end | ts }}'"
TIMEOUT = f"--timeout {int(LIMIT.total_seconds())}s"

with DAG(
    dag_id="score_batch_weekly",
    # In Airflow 3 a plain cron expression has an empty data interval.
    schedule=CronDataIntervalTimetable("0 0 * * 1", timezone=TIME_ZONE),
    start_date=pendulum.datetime(2026, 1, 5, tz=TIME_ZONE),
    catchup=False,
    # `max_drop` compares with the week before, so weeks are published one after the other.
    max_active_runs=1,
    params={"shards": Param(4, type="integer", minimum=1, maximum=256, description="processes that score at the same time")},
    default_args={
        # Five minutes, ten, … an hour: about six hours in all, for a source that is not ready at midnight (69).
        "retries": 9,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(hours=1),
        "execution_timeout": LIMIT + GRACE,
    },
    doc_md=__doc__,
    tags=["score-batch"],
) as dag:
    freeze = ScoreBatchOperator(task_id="freeze", arguments=f"freeze {WINDOW} {TIMEOUT} --skip-empty")

    @task
    def shards(frozen: dict, params: dict) -> list[dict[str, str]]:
        """As many as wanted, but none without a chunk of its own."""
        count = max(1, min(params["shards"], frozen["chunks"]))
        return [{"SHARD": f"{index}/{count}"} for index in range(1, count + 1)]

    score = ScoreBatchOperator.partial(
        task_id="score",
        arguments=f'score {WINDOW} {TIMEOUT} --shard "$SHARD"',
        map_index_template="{{ task.env['SHARD'] }}",
        # For a limit over all DAGs of a warehouse: pool="…", which has to be there.
    ).expand(env=shards(freeze.output))

    publish = ScoreBatchOperator(task_id="publish", arguments=f"publish {WINDOW} {TIMEOUT}")

    score >> publish

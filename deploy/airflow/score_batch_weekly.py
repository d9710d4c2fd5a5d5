"""Scores the new users of each week on several machines: freeze, score in shards, publish.

Copy it for each job and change the constants. The data interval of a DAG run is the window, so a backfill, a rerun and
`score-batch --week 2026-W47` on a laptop publish the same window. To score a week again because its data were fixed,
clear the whole DAG run, not single tasks: then `freeze` starts over.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable, Param, task
from score_batch_airflow.operator import ScoreBatchOperator

# As in the job file: weeks start at midnight in this zone, even when clocks change.
TIME_ZONE = "America/New_York"
# Maximum duration of one command. After it, score-batch ends itself with 69; if it does not, Airflow ends it.
LIMIT = timedelta(hours=2)
GRACE = timedelta(minutes=5)

WINDOW = "--from '{{ data_interval_start | ts }}' --to '{{ data_interval_end | ts }}' --whole"
TIMEOUT = f"--timeout {int(LIMIT.total_seconds())}s"

with DAG(
    dag_id="score_batch_weekly",
    # In Airflow 3 a plain cron expression has an empty data interval.
    schedule=CronDataIntervalTimetable("0 0 * * 1", timezone=TIME_ZONE),
    start_date=pendulum.datetime(2026, 1, 5, tz=TIME_ZONE),
    catchup=False,
    # `max_drop` compares with the previous week, so weeks are published one after the other.
    max_active_runs=1,
    params={"shards": Param(4, type="integer", minimum=1, maximum=256, description="processes that score at the same time")},
    default_args={
        # Five minutes, ten, … an hour: about six hours in total, for a source that is not ready at midnight (69).
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
        """The requested number of shards, but no more than there are chunks."""
        count = max(1, min(params["shards"], frozen["chunks"]))
        return [{"SHARD": f"{index}/{count}"} for index in range(1, count + 1)]

    score = ScoreBatchOperator.partial(
        task_id="score",
        arguments=f'score {WINDOW} {TIMEOUT} --shard "$SHARD"',
        map_index_template="{{ task.env['SHARD'] }}",
        # To limit all DAGs of a warehouse together, add pool="…" with an existing pool.
    ).expand(env=shards(freeze.output))

    publish = ScoreBatchOperator(task_id="publish", arguments=f"publish {WINDOW} {TIMEOUT}")

    score >> publish

"""Scores changed users every hour, in addition to the weekly DAG: a slice, then its comparison with the batch.

A slice takes its span from the data: it begins where the previous slice ended, and ends where the data end. So a run has no
data interval, and missed runs need no catching up: after a day without Airflow, one slice reads the whole day.
While a run is still running, the next one waits.

`compare` is the gate: it compares each window of the batch with the current table once both exist, and fails the run (65) if
they differ. The next hour's slice runs anyway, because people do not read the slices' table until
`score-batch promote --shadow`, which counts these comparisons. For a job without `incremental.shadow`, remove the task.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable
from score_batch_airflow.operator import ScoreBatchOperator

# Maximum duration of one command, below the interval of an hour. After it, score-batch ends itself with 69; if it does not,
# Airflow ends it. The next try resumes the slice.
LIMIT = timedelta(minutes=50)
GRACE = timedelta(minutes=2)

TIMEOUT = f"--timeout {int(LIMIT.total_seconds())}s"

with DAG(
    dag_id="score_batch_hourly",
    # At ten past, when the hour's rows have been loaded. It has no data interval.
    schedule=CronTriggerTimetable("10 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 5, tz="UTC"),
    catchup=False,
    # If two slices run at once, only one publishes.
    max_active_runs=1,
    default_args={
        # Few retries, and soon: the next hour tries again anyway.
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": LIMIT + GRACE,
    },
    doc_md=__doc__,
    tags=["score-batch"],
) as dag:
    slice_of_changes = ScoreBatchOperator(task_id="slice", arguments=f"run --slice {TIMEOUT}")

    compare = ScoreBatchOperator(task_id="compare", arguments=f"compare --shadow {TIMEOUT}")

    slice_of_changes >> compare

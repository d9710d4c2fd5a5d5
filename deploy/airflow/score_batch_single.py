"""Scores the new users of each week in one process: for DuckDB, and for windows that one machine scores fast enough."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable
from score_batch_airflow.operator import ScoreBatchOperator

# As in the job file.
TIME_ZONE = "America/New_York"

with DAG(
    dag_id="score_batch_single",
    schedule=CronDataIntervalTimetable("0 0 * * 1", timezone=TIME_ZONE),
    start_date=pendulum.datetime(2026, 1, 5, tz=TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["score-batch"],
) as dag:
    ScoreBatchOperator(
        task_id="run",
        # A retry after the publication publishes nothing again.
        arguments="run --from '{{ data_interval_start | ts }}' --to '{{ data_interval_end | ts }}' --whole"
        " --timeout 2h --skip-empty --skip-published",
        # Waits for a source that is not ready, without a worker or a failed try. Needs a triggerer.
        wait=timedelta(hours=6),
        look_every=timedelta(minutes=5),
        retries=9,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=2,
        max_retry_delay=timedelta(hours=1),
        execution_timeout=timedelta(hours=2, minutes=5),
    )

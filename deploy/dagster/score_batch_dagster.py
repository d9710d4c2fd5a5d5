"""Scores the new users of each week: a Dagster asset with a partition per week, and its schedule.

Copy it for each job and change the constants. It needs Dagster, and Node with score-batch where runs execute. The partition is
the window, so a backfill, a retry and `score-batch --week 2026-W47` on a laptop publish the same window.
"""

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator

import dagster as dg

# As in the job file. With another zone, no partition is a week of the job, and score-batch refuses each (64).
TIME_ZONE = "America/New_York"
START = "2026-01-05"

# Five minutes, ten, … an hour: about six hours in total, for a source that is not ready at midnight (69).
RETRIES = 9
PAUSE = 300
LONGEST_PAUSE = 3600

# Settings that differ by machine, not by job. Set them, and the credentials, in the environment of runs.
PROJECT = os.environ.get("SCORE_BATCH_PROJECT", "/srv/churn")
COMMAND = os.environ.get("SCORE_BATCH_COMMAND", "node node_modules/score-batch/dist/cli.js")

# The same command would fail again: first fix the call (64), the data (65), the permissions (77) or the job (78).
NOT_RETRIED = {64, 65, 77, 78}
NOTHING_TO_SCORE = 99


class Again(dg.Config):
    """By default, a published week stays unchanged, no matter which scheduler published it."""

    again: bool = False


@dg.asset(
    partitions_def=dg.WeeklyPartitionsDefinition(start_date=START, timezone=TIME_ZONE, day_offset=1),
    # A week without users is not materialized, so what depends on it is skipped.
    output_required=False,
    # `max_drop` compares with the previous week: with a limit of 1, weeks are published one after the other (README.md).
    pool="score_batch",
)
def churn_scores(context: dg.AssetExecutionContext, config: Again) -> Iterator[dg.MaterializeResult]:
    """The published scores of a week."""
    start, end = context.partition_time_window
    window = ["--from", start.isoformat(), "--to", end.isoformat(), "--whole"]
    published = [] if config.again else ["--skip-published"]
    code, printed = score_batch(["run", *window, *published, "--skip-empty", "--timeout", "2h"], context.log.info)
    if code == NOTHING_TO_SCORE:
        observed = {"nothing_to_score": True, "printed": dg.MetadataValue.json(printed)}
        context.log_event(dg.AssetObservation(context.asset_key, partition=context.partition_key, metadata=observed))
    elif code in NOT_RETRIED:
        raise dg.Failure(
            f"score-batch exited with {code}: a retry would fail again",
            metadata={"exit_code": code, "printed": dg.MetadataValue.json(printed)},
            allow_retries=False,
        )
    elif code != 0:
        pause = min(PAUSE * 2**context.retry_number, LONGEST_PAUSE)
        context.log.warning(f"score-batch exited with {code}: it may pass")
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=pause)
    else:
        yield dg.MaterializeResult(metadata=metadata(printed), data_version=dg.DataVersion(printed["run_id"]))


def metadata(summary: dict) -> dict:
    shown = {
        "run_id": summary["run_id"],
        "state": summary["state"],
        "model": summary["model"]["name"],
        "model_version": summary["model"]["version"],
        "model_digest": summary["model"]["digest"],
        "summary": dg.MetadataValue.json(summary),
    }
    return shown | ({"dagster/row_count": summary["rows"]["scored"]} if "rows" in summary else {})


def score_batch(arguments: list[str], log: Callable[[str], None]) -> tuple[int, dict]:
    """Runs a command to its end. Returns its exit code and the last line that it printed."""
    with (
        tempfile.TemporaryFile("w+") as stdout,
        subprocess.Popen(
            [*shlex.split(COMMAND), *arguments, "--json"],
            cwd=PROJECT,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            # So that a termination signal reaches score-batch once, from here: a second one would end it before it cleans up.
            start_new_session=True,
        ) as process,
    ):
        try:
            for line in process.stderr:
                log(line.rstrip())
            code = process.wait()
        except BaseException:
            process.terminate()
            process.communicate()
            raise
        stdout.seek(0)
        lines = stdout.read().splitlines()
    return code, json.loads(lines[-1]) if lines else {}


weekly = dg.define_asset_job("score_batch_weekly", selection=[churn_scores])

defs = dg.Definitions(
    assets=[churn_scores],
    jobs=[weekly],
    # An hour after the week ends.
    schedules=[dg.build_schedule_from_partitioned_job(weekly, hour_of_day=1)],
    # Its single step does not need a separate process.
    executor=dg.in_process_executor,
)

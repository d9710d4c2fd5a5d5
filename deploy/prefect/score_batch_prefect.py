"""Scores the new users of each week: a Prefect flow, its schedule, and a flow for past weeks.

Copy it for each job and change the constants. It needs Prefect, and Node with score-batch where it is served:
`python score_batch_prefect.py`. The week comes from the run's parameter or from the time for which it is scheduled, never from the
time at which it starts.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger, serve, task
from prefect.artifacts import create_table_artifact
from prefect.runtime import flow_run
from prefect.schedules import Cron
from prefect.states import Completed, State
from pydantic import Field

# As in the job file. With another zone, no week of the schedule is a week of the job, and score-batch refuses each (64).
TIME_ZONE = "America/New_York"
# An hour after the week ends.
SCHEDULE = "0 1 * * 1"

# Five minutes, ten, … an hour: about six hours in total, for a source that is not ready at midnight (69).
RETRIES = 9
PAUSE = 300
LONGEST_PAUSE = 3600

# Settings that differ by machine, not by job. Set them, and the credentials, where flows run.
PROJECT = os.environ.get("SCORE_BATCH_PROJECT", "/srv/churn")
COMMAND = os.environ.get("SCORE_BATCH_COMMAND", "node node_modules/score-batch/dist/cli.js")

# The same command would fail again: first fix the call (64), the data (65), the permissions (77) or the job (78).
NOT_RETRIED = {64, 65, 77, 78}
NOTHING_TO_SCORE = 99
# State of a week without users: a success that later steps can distinguish from others.
SKIPPED = "Skipped"

Week = Annotated[str, Field(pattern=r"^\d{4}-W\d{2}$", description="ISO week, such as 2026-W47")]


class ScoreBatchFailed(Exception):
    """The command ended with an exit code other than 0 and 99."""

    def __init__(self, code: int, message: str):
        super().__init__(f"score-batch exited with {code}: {message}")
        self.code = code


def may_pass(_task: Any, _run: Any, state: State) -> bool:
    try:
        state.result()
    except ScoreBatchFailed as error:
        return error.code not in NOT_RETRIED
    except Exception:
        return True
    return False


@task(
    name="score-batch",
    retries=RETRIES,
    retry_delay_seconds=[min(PAUSE * 2**retry, LONGEST_PAUSE) for retry in range(RETRIES)],
    retry_condition_fn=may_pass,
)
def publish(window: list[str], again: bool) -> dict | State:
    """Scores and publishes a window. Its result is the summary that the command prints."""
    published = [] if again else ["--skip-published"]
    code, printed = score_batch(["run", *window, *published, "--skip-empty", "--timeout", "2h"], get_run_logger().info)
    if code == NOTHING_TO_SCORE:
        return Completed(name=SKIPPED, message=printed["error"]["message"])
    if code != 0:
        raise ScoreBatchFailed(code, printed.get("error", {}).get("message", "see the log"))
    create_table_artifact(
        key="score-batch",
        table=[
            {
                "week": printed["window"]["label"],
                "run_id": printed["run_id"],
                "state": printed["state"],
                "rows": printed.get("rows", {}).get("scored"),
                "model": f"{printed['model']['name']} {printed['model']['version']}",
                "model_digest": printed["model"]["digest"],
            }
        ],
    )
    return printed


@flow(name="score-batch-weekly", persist_result=True, result_serializer="json")
def weekly(week: Week | None = None, again: bool = False) -> dict | State:
    """Publishes a week: the given one, or the last one before the scheduled time of the run.

    A published week stays unchanged, no matter which scheduler published it, unless `again` is set.
    """
    window = week_before(flow_run.scheduled_start_time) if week is None else ["--week", week]
    state = publish(window, again, return_state=True)
    return Completed(name=SKIPPED, message=state.message) if state.name == SKIPPED else state.result()


@flow(name="score-batch-backfill")
def backfill(first: Week, last: Week, again: bool = False) -> dict[str, str]:
    """Publishes the weeks from the first to the last, in order, stopping at the first failure. Returns the state of each."""
    done = {}
    for week in weeks(first, last):
        state = weekly(week=week, again=again, return_state=True)
        state.result()
        done[week] = state.name
    return done


def week_before(instant: datetime) -> list[str]:
    """The last complete week before an instant, as flags."""
    zone = ZoneInfo(TIME_ZONE)
    today = datetime.fromtimestamp(instant.timestamp(), zone).date()
    monday = today - timedelta(days=today.weekday())
    start, end = (datetime.combine(day, time.min, zone).isoformat() for day in (monday - timedelta(days=7), monday))
    return ["--from", start, "--to", end, "--whole"]


def weeks(first: str, last: str) -> list[str]:
    """`2026-W52`, `2027-W01` → both. Raises an error for weeks that do not exist, and if the last is before the first."""
    monday, end = (date.fromisocalendar(int(week[:4]), int(week[6:]), 1) for week in (first, last))
    if end < monday:
        raise ValueError(f"the last week, {last}, is before the first, {first}")
    count = (end - monday).days // 7 + 1
    return [f"{day.year}-W{day.week:02}" for day in ((monday + timedelta(weeks=n)).isocalendar() for n in range(count))]


def score_batch(arguments: list[str], log: Any) -> tuple[int, dict]:
    """Runs a command to its end. Returns its exit code and the last line that it printed."""
    with (
        tempfile.TemporaryFile("w+") as stdout,
        subprocess.Popen(
            [*shlex.split(COMMAND), *arguments, "--json"],
            cwd=PROJECT,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            # So that a cancellation signal reaches score-batch once, from here: a second one would end it before it cleans up.
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


if __name__ == "__main__":
    serve(
        # `max_drop` compares with the previous week, so weeks are published one after the other.
        weekly.to_deployment(name="weekly", schedule=Cron(SCHEDULE, timezone=TIME_ZONE), concurrency_limit=1),
        backfill.to_deployment(name="backfill", concurrency_limit=1),
    )

"""Runs the score-batch command line as an Airflow task. Its exit code decides what happens next."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

# Settings that differ by machine, not by job. Set them, and the credentials, in the environment of the workers.
PROJECT = os.environ.get("SCORE_BATCH_PROJECT", "/srv/churn")
COMMAND = os.environ.get("SCORE_BATCH_COMMAND", "node node_modules/score-batch/dist/cli.js")

# The same command would fail again: first fix the call (64), the data (65), the permissions (77) or the job (78).
# Other failures may be gone at the next try; 99 is "nothing to score".
NOT_RETRIED = {64, 65, 77, 78}
# The source is not ready, or network, quota, disk or time ran out.
UNAVAILABLE = 69


class ScoreBatchOperator(BashOperator):
    """One score-batch command. Its --json output becomes the XCom.

    :param arguments: the command with its flags; a Jinja template.
    :param env: variables to add to those of the worker.
    :param wait: how long to wait for a source that is not ready (69), without a failed try: the task is deferred, and needs no
        worker until it looks again. Without it, 69 is a failed try as any other.
    :param look_every: the time between two looks.
    """

    def __init__(
        self,
        *,
        arguments: str,
        wait: timedelta | None = None,
        look_every: timedelta = timedelta(minutes=5),
        **kwargs,
    ) -> None:
        super().__init__(
            # exec, so that the signal of a time-out or of "mark failed" reaches score-batch, and the exit code Airflow.
            bash_command=f"exec {COMMAND} {arguments} --json",
            cwd=kwargs.pop("cwd", PROJECT),
            append_env=True,
            skip_on_exit_code=99,
            output_processor=json.loads,
            **kwargs,
        )
        self.wait = wait
        self.look_every = look_every

    def execute(self, context):
        return self.look_again(context, None, None if self.wait is None else (now() + self.wait).isoformat())

    def look_again(self, context, event, until: str | None):
        """Runs the command.

        :param event: of the trigger that has waited; it says nothing.
        :param until: the instant after which 69 is a failed try; none if it always is.
        """
        try:
            return super().execute(context)
        except AirflowSkipException:
            raise
        except AirflowException as error:
            process = self.subprocess_hook.sub_process
            code = None if process is None else process.returncode
            if code in NOT_RETRIED:
                raise AirflowFailException(f"score-batch exited with {code}: a retry would fail again") from error
            if code != UNAVAILABLE or until is None or now() + self.look_every > datetime.fromisoformat(until):
                raise
        # What waits is the triggerer's clock, not the command: it needs the worker's files, memory and credentials, and a triggerer
        # may start a trigger twice.
        self.defer(
            trigger=TimeDeltaTrigger(self.look_every), method_name=self.look_again.__name__, kwargs={"until": until}
        )


def now() -> datetime:
    return datetime.now(timezone.utc)

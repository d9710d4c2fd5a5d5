"""Runs the score-batch command line as an Airflow task. Its exit code decides what happens next."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

# Settings that differ by machine, not by job. Set them, and the credentials, in the environment of the workers.
PROJECT = os.environ.get("SCORE_BATCH_PROJECT", "/srv/churn")
COMMAND = os.environ.get("SCORE_BATCH_COMMAND", "node node_modules/score-batch/dist/cli.js")

# The same command would fail again: first fix the call (64), the data (65), the permissions (77) or the job (78).
# Other failures may have passed by the next try; 99 is "nothing to score".
NOT_RETRIED = {64, 65, 77, 78}
# The source is not ready, or network, quota, disk or time ran out.
UNAVAILABLE = 69
# Variable with the path of the file for the command's output.
PRINTED = "SCORE_BATCH_PRINTED"


class ScoreBatchOperator(BashOperator):
    """One score-batch command. Its --json output becomes the XCom; its log goes to the task's log.

    :param arguments: the command with its flags; a Jinja template.
    :param env: variables to add to those of the worker.
    :param wait: how long to wait for a source that is not ready (69), without a failed try: the task is deferred, and needs no
        worker until it tries again. After this time, the task fails without a retry, which would wait just as long again.
        If unset, 69 is a failed try like any other.
    :param look_every: the time between two tries while waiting.
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
            # exec, so that the signal of a time-out or of "mark failed" reaches score-batch, and the exit code reaches Airflow.
            # Airflow merges stdout and stderr, and a warning may follow the summary, so the summary goes to its own file.
            bash_command=f'exec {COMMAND} {arguments} --json >"${PRINTED}"',
            cwd=kwargs.pop("cwd", PROJECT),
            append_env=True,
            skip_on_exit_code=99,
            **kwargs,
        )
        self.wait = wait
        self.look_every = look_every
        self.printed: str | None = None

    def get_env(self, context) -> dict:
        return super().get_env(context) | {PRINTED: self.printed}

    def execute(self, context):
        return self.look_again(context, None, None if self.wait is None else (now() + self.wait).isoformat())

    def look_again(self, context, event, until: str | None):
        """Runs the command.

        :param event: of the trigger that has waited; unused.
        :param until: the instant after which 69 fails the task; None if 69 is an ordinary failed try.
        """
        try:
            return self.summary(context)
        except AirflowSkipException:
            raise
        except AirflowException as error:
            process = self.subprocess_hook.sub_process
            code = None if process is None else process.returncode
            if code in NOT_RETRIED:
                raise AirflowFailException(f"score-batch exited with {code}: a retry would fail again") from error
            if code != UNAVAILABLE or until is None:
                raise
            if now() + self.look_every > datetime.fromisoformat(until):
                raise AirflowFailException(f"the source was not ready for {self.wait}") from error
        # The triggerer only waits; it does not run the command, which needs the worker's files, memory and credentials. Also, a
        # triggerer may start a trigger twice.
        self.defer(
            trigger=TimeDeltaTrigger(self.look_every), method_name=self.look_again.__name__, kwargs={"until": until}
        )

    def summary(self, context):
        """Runs the command to its end. Returns the last line that it printed."""
        with tempfile.NamedTemporaryFile("r", encoding="utf-8") as file:
            self.printed = file.name
            try:
                super().execute(context)
            finally:
                lines = file.read().splitlines()
                for line in lines:
                    self.log.info("%s", line)
        return json.loads(lines[-1])


def now() -> datetime:
    return datetime.now(timezone.utc)

"""Runs the score-batch command line as an Airflow task, and lets its exit code say what happens next.

Put this file beside the DAGs that use it. It needs Airflow 3, and Node with score-batch where tasks run.
"""

from __future__ import annotations

import json
import os

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

# What differs between machines, not between jobs: set in the environment of the workers. Credentials come from there too.
PROJECT = os.environ.get("SCORE_BATCH_PROJECT", "/srv/churn")
COMMAND = os.environ.get("SCORE_BATCH_COMMAND", "node node_modules/score-batch/dist/cli.js")

# The same command would fail in the same way: somebody has to mend the call (64), the data (65), the rights (77) or the
# job (78) first. All else may have passed by the next try; 99 is "nothing to score".
NOT_RETRIED = {64, 65, 77, 78}


class ScoreBatchOperator(BashOperator):
    """One score-batch command; the object that it prints with --json becomes the XCom.

    :param arguments: the command with its flags; Jinja is rendered in it.
    :param env: variables that are added to those of the worker.
    """

    def __init__(self, *, arguments: str, **kwargs) -> None:
        super().__init__(
            # exec: the signal of a time-out or of "mark failed" reaches score-batch itself, and its exit code Airflow.
            bash_command=f"exec {COMMAND} {arguments} --json",
            cwd=kwargs.pop("cwd", PROJECT),
            append_env=True,
            skip_on_exit_code=99,
            output_processor=json.loads,
            **kwargs,
        )

    def execute(self, context):
        try:
            return super().execute(context)
        except AirflowSkipException:
            raise
        except AirflowException as error:
            process = self.subprocess_hook.sub_process
            if process is not None and process.returncode in NOT_RETRIED:
                raise AirflowFailException(f"score-batch ended with {process.returncode}, which no retry mends") from error
            raise

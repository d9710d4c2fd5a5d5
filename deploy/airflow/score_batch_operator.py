"""Runs the score-batch command line as an Airflow task. Its exit code decides what happens next.

Put this file in the folder of the DAGs that use it. It needs Airflow 3, and Node with score-batch on the workers.
"""

from __future__ import annotations

import json
import os

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

# Settings that differ by machine, not by job. Set them, and the credentials, in the environment of the workers.
PROJECT = os.environ.get("SCORE_BATCH_PROJECT", "/srv/churn")
COMMAND = os.environ.get("SCORE_BATCH_COMMAND", "node node_modules/score-batch/dist/cli.js")

# The same command would fail again: first fix the call (64), the data (65), the permissions (77) or the job (78).
# Other failures may be gone at the next try; 99 is "nothing to score".
NOT_RETRIED = {64, 65, 77, 78}


class ScoreBatchOperator(BashOperator):
    """One score-batch command. Its --json output becomes the XCom.

    :param arguments: the command with its flags; a Jinja template.
    :param env: variables to add to those of the worker.
    """

    def __init__(self, *, arguments: str, **kwargs) -> None:
        super().__init__(
            # exec, so that the signal of a time-out or of "mark failed" reaches score-batch, and the exit code Airflow.
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
                raise AirflowFailException(f"score-batch exited with {process.returncode}: a retry would fail again") from error
            raise

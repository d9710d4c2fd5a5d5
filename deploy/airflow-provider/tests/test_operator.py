"""Runs the operator as a worker does, with small commands in place of score-batch, and checks how it handles their exit codes."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException, TaskDeferred
from score_batch_airflow import __version__, get_provider_info, operator

HOUR = timedelta(hours=1)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Makes an operator whose command is a script."""

    def make(script: str, **kwargs) -> operator.ScoreBatchOperator:
        (tmp_path / "command").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "command").chmod(0o755)
        monkeypatch.setattr(operator, "COMMAND", "./command")
        return operator.ScoreBatchOperator(task_id="run", arguments="run --week", cwd=str(tmp_path), **kwargs)

    return make


def test_what_it_prints_is_the_xcom_and_not_what_it_logs_afterwards(run):
    task = run("""echo scoring >&2; echo '{"arguments": "'"$*"'"}'; echo "warning: no lineage" >&2""")
    assert task.execute({}) == {"arguments": "run --week --json"}


@pytest.mark.parametrize("code", [64, 65, 77, 78])
def test_what_no_retry_fixes_is_not_retried(run, code):
    with pytest.raises(AirflowFailException, match=f"exited with {code}"):
        run(f"exit {code}", wait=HOUR).execute({})


@pytest.mark.parametrize("code", [1, 69, 74, 75, 143])
def test_what_may_pass_is_retried(run, code):
    with pytest.raises(AirflowException) as raised:
        run(f"exit {code}").execute({})
    assert not isinstance(raised.value, AirflowFailException)


def test_nothing_to_score_skips(run):
    with pytest.raises(AirflowSkipException):
        run("exit 99").execute({})


def test_a_source_that_is_not_ready_is_waited_for_without_a_worker(run):
    task = run("exit 69", wait=HOUR, look_every=timedelta(minutes=5))
    with pytest.raises(TaskDeferred) as deferred:
        task.execute({})
    assert isinstance(deferred.value.trigger, DateTimeTrigger)
    assert deferred.value.trigger.moment <= datetime.now(timezone.utc) + timedelta(minutes=5)
    # Until a fixed instant it tries again; then it has succeeded or fails, because a retry would wait again.
    until = deferred.value.kwargs["until"]
    with pytest.raises(TaskDeferred) as again:
        getattr(task, deferred.value.method_name)({}, None, **deferred.value.kwargs)
    assert again.value.kwargs == {"until": until}
    assert run("echo '{}'", wait=HOUR).look_again({}, None, until) == {}
    with pytest.raises(AirflowFailException, match="not ready for 1:00:00"):
        run("exit 69", wait=HOUR).look_again({}, None, datetime.now(timezone.utc).isoformat())


@pytest.mark.parametrize("code", [75, 143])
def test_only_a_source_that_is_not_ready_is_waited_for(run, code):
    with pytest.raises(AirflowException):
        run(f"exit {code}", wait=HOUR).execute({})


def test_mark_failed_signals_the_command(run, tmp_path):
    task = run("trap 'echo TERM > ended; exit 143' TERM; echo > began; while :; do sleep 0.05; done")
    ends = threading.Thread(target=lambda: pytest.raises(AirflowException, task.execute, {}))
    ends.start()
    while not (tmp_path / "began").exists():
        time.sleep(0.02)
    task.on_kill()
    ends.join()
    assert (tmp_path / "ended").read_text() == "TERM\n"
    assert task.subprocess_hook.sub_process.returncode == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(task.subprocess_hook.sub_process.pid, 0)


def test_what_airflow_shows_of_the_package():
    assert get_provider_info()["versions"] == [__version__]

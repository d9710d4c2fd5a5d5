"""Runs the processes of an engine until stdin closes, and prints its address once it answers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent.parent / "emulators"))
from until_parent_ends import until_parent_ends  # noqa: E402


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until_answers(url: str, process: subprocess.Popen) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{process.args} ended with {process.returncode}")


def run_engine(url: str, probe: str, commands: list[list[str]], environment: dict[str, str]) -> None:
    """Starts the commands one after the other: the first serves `url`, and the others begin once it answers at `probe`."""
    # A group of its own, which ends with it.
    if os.getpgrp() != os.getpid():
        os.setpgrp()
    # An exception, so that there is one way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    until_parent_ends()
    processes = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr)
            )
            until_answers(probe, processes[0])
        print(json.dumps({"url": url}), flush=True)
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
        raise SystemExit("a part of the engine ended, see above")
    finally:
        # All that it has is in a folder that goes: it need not take its time.
        os.killpg(0, signal.SIGKILL)

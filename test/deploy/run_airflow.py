"""Runs Airflow (API server, scheduler with LocalExecutor, DAG processor, triggerer; SQLite) until stdin closes.

Usage: run_airflow.py '{"dags": "/folder", "environment": {"NAME": "value"}}'. The variables are those that tasks see. The
address of its API is printed as one line of JSON once all answer: {"url": "http://127.0.0.1:…"}. All that it writes is in
the working directory, which should be empty.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "emulators"))
from until_parent_ends import until_parent_ends  # noqa: E402

# Not the script beside it: that names the folder where the environment was made.
AIRFLOW = [sys.executable, "-m", "airflow"]


def settings(dags: str, home: str, port: int) -> dict[str, str]:
    options = {
        "core": {
            "dags_folder": dags,
            "load_examples": False,
            "executor": "LocalExecutor",
            "parallelism": 4,
            "execution_api_server_url": f"http://127.0.0.1:{port}/execution/",
            "simple_auth_manager_all_admins": True,
            "dags_are_paused_at_creation": False,
        },
        "api": {"host": "127.0.0.1", "port": port, "base_url": f"http://127.0.0.1:{port}", "workers": 1},
        "api_auth": {"jwt_secret": secrets.token_hex(32)},
        "database": {"sql_alchemy_conn": f"sqlite:///{home}/airflow.db"},
        "dag_processor": {"refresh_interval": 5, "parsing_processes": 1},
        # Only how soon it looks again; all else is as people have it.
        "scheduler": {"scheduler_idle_sleep_time": 0.5, "scheduler_heartbeat_sec": 1},
        "usage_data_collection": {"enabled": False},
    }
    return {
        f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
        for section, of_section in options.items()
        for name, value in of_section.items()
    } | {"AIRFLOW_HOME": home}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until_healthy(url: str, processes: list[subprocess.Popen]) -> None:
    while True:
        for process in processes:
            if process.poll() is not None:
                raise SystemExit(f"{process.args[3]} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=5) as answer:
                health = json.load(answer)
            if all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor", "triggerer")):
                return
        except (OSError, KeyError):
            pass
        time.sleep(0.2)


def main() -> None:
    given = json.loads(sys.argv[1])
    # A group of its own, which ends with it.
    if os.getpgrp() != os.getpid():
        os.setpgrp()
    home, port = os.getcwd(), free_port()
    environment = os.environ | given["environment"] | settings(given["dags"], home, port)
    subprocess.run([*AIRFLOW, "db", "migrate"], env=environment, stdout=sys.stderr, check=True)
    processes = [
        subprocess.Popen([*AIRFLOW, *command], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        for command in (
            ["api-server", "--host", "127.0.0.1", "--port", str(port)],
            # Its server for log files would listen on every address.
            ["scheduler", "--skip-serve-logs"],
            ["dag-processor"],
            # For tasks that wait for their source. Its server for log files would listen on every address, too.
            ["triggerer", "--skip-serve-logs"],
        )
    ]
    # An exception, so that there is one way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    until_parent_ends()
    try:
        url = f"http://127.0.0.1:{port}"
        until_healthy(url, processes)
        print(json.dumps({"url": url}), flush=True)
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
        raise SystemExit("a part of Airflow ended, see above")
    finally:
        # All that it has is in a folder that goes: it need not take its time to end tasks.
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()

"""Runs a server of Prefect (SQLite) and a process that serves flows, until stdin closes.

Usage: run_prefect.py '{"flows": "file.py", "environment": {"NAME": "value"}}'. The variables are those that flows see. The address
is printed as one line of JSON once it answers: {"url": "http://127.0.0.1:…"}. All that it writes is in the working directory, which
should be empty.
"""

import json
import os
import sys

from engine import free_port, run_engine

given = json.loads(sys.argv[1])
home = os.getcwd()
url = f"http://127.0.0.1:{(port := free_port())}"
settings = {
    "PREFECT_HOME": home,
    "PREFECT_API_URL": f"{url}/api",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    "DO_NOT_TRACK": "1",
}
run_engine(
    url,
    f"{url}/api/health",
    [
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        [sys.executable, given["flows"]],
    ],
    os.environ | given["environment"] | settings,
)

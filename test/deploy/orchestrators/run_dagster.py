"""Runs Dagster (webserver, daemon, code server; SQLite) until stdin closes.

Usage: run_dagster.py '{"definitions": "file.py", "settings": "dagster.yaml", "environment": {"NAME": "value"}}'. The variables are
those that runs see. The address is printed as one line of JSON once it answers: {"url": "http://127.0.0.1:…"}. All that it writes is
in the working directory, which should be empty.
"""

import json
import os
import shutil
import subprocess
import sys

from engine import free_port, run_engine

given = json.loads(sys.argv[1])
home = os.getcwd()
shutil.copy(given["settings"], f"{home}/dagster.yaml")
url = f"http://127.0.0.1:{(port := free_port())}"
environment = os.environ | given["environment"] | {"DAGSTER_HOME": home, "DO_NOT_TRACK": "1"}
dagster = [sys.executable, "-m", "dagster"]
subprocess.run([*dagster, "instance", "concurrency", "set", "score_batch", "1"], env=environment, stdout=sys.stderr, check=True)
command = ["dev", "--python-file", given["definitions"], "--host", "127.0.0.1", "--port", str(port)]
run_engine(
    url,
    f"{url}/server_info",
    [[*dagster, *command]],
    environment,
)

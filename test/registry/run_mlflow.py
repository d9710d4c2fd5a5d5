"""Runs a tracking server of MLflow (SQLite, artifacts that it hands out itself) until stdin closes.

Usage: run_mlflow.py [guarded]; a guarded one has users with passwords. Its address and its administrator are printed as one line of JSON once it answers: {"url": "http://127.0.0.1:…", …}. All that it
writes is in the working directory, which should be empty.
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> None:
    # A group of its own, which ends with it.
    if os.getpgrp() != os.getpid():
        os.setpgrp()
    home, port = Path.cwd(), free_port()
    user, password = "admin", secrets.token_hex(12)
    (home / "auth.ini").write_text(
        "[mlflow]\n"
        # Who is given nothing may do nothing.
        "default_permission = NO_PERMISSIONS\n"
        f"database_uri = sqlite:///{home}/auth.db\n"
        f"admin_username = {user}\n"
        f"admin_password = {password}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    environment = os.environ | {
        "MLFLOW_AUTH_CONFIG_PATH": str(home / "auth.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(16),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server"]
        + ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        + (["--app-name", "basic-auth"] if "guarded" in sys.argv else [])
        + ["--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
        + ["--serve-artifacts", "--artifacts-destination", str(home / "artifacts")],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    until_parent_ends()
    try:
        url = f"http://127.0.0.1:{port}"
        while server.poll() is None:
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.2)
        address = {"url": url, "user": user, "password": password, "python": sys.executable}
        print(json.dumps(address | {"artifacts": str(home / "artifacts")}), flush=True)
        while server.poll() is None:
            time.sleep(0.2)
        raise SystemExit(f"MLflow ended with {server.returncode}")
    finally:
        # All that it has is in a folder that goes.
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()

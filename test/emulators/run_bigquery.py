"""Runs bqemulator until stdin closes.

Its addresses are printed as one line of JSON once it answers: {"rest": "http://…", "grpc": "host:port"}. HOME should be a
folder of its own: DuckDB looks there for the extensions, which come as Python packages, since it would download them.
"""

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TextIO

import duckdb

from until_parent_ends import until_parent_ends

# The emulator translates by recursion, and leaves an expression over some thirty columns as it is without a word.
sys.setrecursionlimit(20_000)

# BigQuery's own limit for a message of a read.
MESSAGE_BYTES = 128 * 1024 * 1024


def install_extensions() -> None:
    version, platform = duckdb.sql(
        "SELECT version(), (SELECT platform FROM pragma_platform())"
    ).fetchone()
    target = Path.home() / ".duckdb" / "extensions" / version / platform
    target.mkdir(parents=True, exist_ok=True)
    for name in ("spatial", "avro"):
        package = importlib.util.find_spec(f"duckdb_extension_{name}")
        folder = Path(package.origin).parent / "extensions" / version
        shutil.copy(folder / f"{name}.duckdb_extension", target)


async def serve(answer: TextIO) -> None:
    # It logs to stdout as soon as it is imported.
    from bqemulator.config import PersistenceMode, Settings
    from bqemulator.server import EmulatorServer

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = EmulatorServer(
        Settings(
            rest_host="127.0.0.1",
            rest_port=0,
            grpc_host="127.0.0.1",
            grpc_port=0,
            persistence_mode=PersistenceMode.EPHEMERAL,
            # Its limit for every message, also those of a read, which have up to 65,536 rows.
            write_api_max_request_bytes=MESSAGE_BYTES,
        )
    )
    await server.start()
    until_parent_ends()
    addresses = {"rest": server.rest_url, "grpc": server.grpc_endpoint}
    print(json.dumps(addresses), file=answer, flush=True)
    await stop.wait()
    await server.stop()


if __name__ == "__main__":
    # bqemulator logs to stdout as soon as it is imported, and that is for the address alone.
    with os.fdopen(os.dup(1), "w") as stdout:
        os.dup2(2, 1)
        install_extensions()
        import bigquery_patches

        bigquery_patches.apply()
        asyncio.run(serve(stdout))

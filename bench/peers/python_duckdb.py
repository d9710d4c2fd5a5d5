"""Peer: a script with DuckDB, pyarrow and onnxruntime. Streams record batches, scores them in threads, appends to a table."""

from job import FEATURES, REPORT, VERSION, Stopwatch, parse_arguments

clock = Stopwatch()

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import onnxruntime as ort
import pyarrow as pa

READ_ROWS = 20_480
APPENDED_AT_ONCE = 16

arguments = parse_arguments()
connection = duckdb.connect(str(arguments.data / "users.duckdb"))
connection.execute(f"SET threads = {arguments.workers}")
connection.execute("SET preserve_insertion_order = false")
connection.execute(
    """CREATE OR REPLACE TABLE peer_scores
        (user_id BIGINT, score FLOAT, bucket INTEGER, model_version VARCHAR, scored_at TIMESTAMP)"""
)
options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = ort.InferenceSession(arguments.model, options, providers=[arguments.provider])
now = np.datetime64("now", "us")
clock.lap("start")


def score(batch: pa.RecordBatch) -> pa.Table:
    rows = batch.num_rows
    matrix = np.empty((rows, len(FEATURES)), np.float32)
    for column in range(len(FEATURES)):
        matrix[:, column] = batch.column(column + 1).to_numpy(zero_copy_only=False)
    (probabilities,) = session.run(["probabilities"], {"features": matrix})
    scores = np.ascontiguousarray(probabilities[:, 1])
    versions = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), [VERSION]).cast(pa.string())
    return pa.table(
        {
            "user_id": batch.column(0),
            "score": scores,
            "bucket": np.minimum((scores * 10).astype(np.int32), 9) + 1,
            "model_version": versions,
            "scored_at": pa.array(np.full(rows, now)),
        }
    )


writer = connection.cursor()
writer.execute("BEGIN")
waiting: list[pa.Table] = []


def append() -> None:
    if not waiting:
        return
    writer.register("scored", pa.concat_tables(waiting))
    writer.execute("INSERT INTO peer_scores SELECT * FROM scored")
    writer.unregister("scored")
    waiting.clear()


def take(table: pa.Table) -> None:
    waiting.append(table)
    if len(waiting) >= APPENDED_AT_ONCE:
        append()


selected = ", ".join(f"coalesce({name}, -1)::FLOAT AS {name}" for name in FEATURES)
batches = connection.cursor().execute(f"SELECT user_id, {selected} FROM users").to_arrow_reader(READ_ROWS)
with ThreadPoolExecutor(arguments.workers) as pool:
    running: deque = deque()
    for batch in batches:
        running.append(pool.submit(score, batch))
        if len(running) > 2 * arguments.workers:
            take(running.popleft().result())
    while running:
        take(running.popleft().result())
append()
writer.execute("COMMIT")
clock.lap("score")
report = REPORT.format(scored="peer_scores JOIN users USING (user_id)")
connection.execute(f"COPY ({report}) TO '{arguments.data / 'report_python.csv'}'")
connection.close()
clock.lap("report")
clock.print()

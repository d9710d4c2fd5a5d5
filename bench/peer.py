"""The same scores by a plain script, for `npm run bench -- --peer 'python bench/peer.py {data}'`.

Reads the generated week, scores it in two threads, appends the scores to a table and writes counts by country and plan. No
frozen rows, no checks, no ranks, no file of all users. Needs duckdb==1.5.6, onnxruntime, numpy and pyarrow.
"""

import pathlib
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import onnxruntime as ort
import pyarrow as pa

FEATURES = [f"f{k}" for k in range(20)]
data = pathlib.Path(sys.argv[1])

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(pathlib.Path(__file__).parent / "mlp" / "model.onnx", options, providers=["CPUExecutionProvider"])
connection = duckdb.connect(str(data / "users.duckdb"))
connection.execute("SET preserve_insertion_order = false")
connection.execute("CREATE OR REPLACE TABLE peer_scores (user_id BIGINT, score FLOAT)")


def score(batch: pa.RecordBatch) -> pa.Table:
    matrix = np.empty((batch.num_rows, len(FEATURES)), np.float32)
    for column in range(len(FEATURES)):
        matrix[:, column] = batch.column(column + 1).to_numpy(zero_copy_only=False)
    (probabilities,) = session.run(["probabilities"], {"features": matrix})
    return pa.table({"user_id": batch.column(0), "score": np.ascontiguousarray(probabilities[:, 1])})


writer = connection.cursor()
writer.execute("BEGIN")
waiting: list[pa.Table] = []


def append(table: pa.Table | None) -> None:
    if table is not None:
        waiting.append(table)
    if waiting and (table is None or len(waiting) >= 16):
        writer.register("scored", pa.concat_tables(waiting))
        writer.execute("INSERT INTO peer_scores SELECT * FROM scored")
        writer.unregister("scored")
        waiting.clear()


selected = ", ".join(f"coalesce({name}, -1)::FLOAT AS {name}" for name in FEATURES)
batches = connection.cursor().execute(f"SELECT user_id, {selected} FROM users").to_arrow_reader(20_480)
with ThreadPoolExecutor(2) as pool:
    running: deque = deque()
    for batch in batches:
        running.append(pool.submit(score, batch))
        if len(running) > 4:
            append(running.popleft().result())
    while running:
        append(running.popleft().result())
append(None)
writer.execute("COMMIT")
report = data / "peer_report.csv"
connection.execute(
    f"""COPY (SELECT country, plan, count(*) AS users, avg(score) AS mean_score
        FROM peer_scores JOIN users USING (user_id) GROUP BY ALL ORDER BY ALL) TO '{report}'"""
)
connection.close()

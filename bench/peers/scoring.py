"""First step of both Python peers: reads the job's query as record batches, scored with onnxruntime in threads, as a stream."""

import argparse
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import onnxruntime as ort
import pyarrow as pa

from job import FEATURES, WINDOW_END, WINDOW_START

READ_ROWS = 20_480
MILLION = 1_000_000
# Integer millionths as a decimal: the same four bytes, so no cast.
SCORE = pa.decimal32(7, 6)
NOT_FINITE, OUTSIDE = "score is not a finite number", "score outside 0 to 1"


class Scoring:
    """Scores of the week. Once all are read, `rejected` has the keys without a score, with reasons."""

    def __init__(self, arguments: argparse.Namespace):
        self.workers = arguments.workers
        self.connection = duckdb.connect(str(arguments.data / "users.duckdb"))
        for setting in [f"threads = {self.workers}", "TimeZone = 'UTC'", "preserve_insertion_order = false"]:
            self.connection.execute(f"SET {setting}")
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(arguments.model, options, providers=[arguments.provider])
        self.texts = [value.name for value in self.session.get_inputs() if value.name != "features"]
        self.rejected: list[pa.Table] = []
        query = arguments.query.read_text()
        for name, day in [(":window_start_date", WINDOW_START), (":window_end_date", WINDOW_END)]:
            query = query.replace(name, f"DATE '{day}'")
        numbers = ", ".join(f"coalesce({name}, -1)::FLOAT AS {name}" for name in FEATURES)
        self.query = f"SELECT user_id, country, plan, {numbers} FROM ({query})"

    def key(self) -> dict[str, str]:
        """The key and its type in the query."""
        (name, kind, *_) = self.connection.execute(f"DESCRIBE {self.query}").fetchone()
        return {name: kind}

    def reader(self) -> pa.RecordBatchReader:
        """Batches of user_id, country, plan and score, read while other batches are scored and the caller writes."""
        users = self.connection.cursor().execute(self.query).to_arrow_reader(READ_ROWS)
        schema = pa.schema([*list(users.schema)[:3], pa.field("churn_propensity", SCORE)])
        return pa.RecordBatchReader.from_batches(schema, self._scored(users, schema))

    def _scored(self, users: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with ThreadPoolExecutor(self.workers) as pool:
            running: deque = deque()
            for batch in users:
                running.append(pool.submit(self._score, batch, schema))
                if len(running) > 2 * self.workers:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()

    def _score(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        rows = batch.num_rows
        matrix = np.empty((rows, len(FEATURES)), np.float32)
        for column in range(len(FEATURES)):
            matrix[:, column] = batch.column(column + 3).to_numpy(zero_copy_only=False)
        feeds = {"features": matrix}
        for name in self.texts:
            # Creates one Python string per category instead of one per row.
            encoded = batch.column(name).dictionary_encode()
            feeds[name] = np.array(encoded.dictionary.to_pylist(), object)[encoded.indices.to_numpy()].reshape(-1, 1)
        (probabilities,) = self.session.run(["probabilities"], feeds)
        # Rounded before the check, as in score-batch.
        millionths = np.floor(probabilities[:, 1].astype(np.float64) * MILLION + 0.5)
        good = (millionths >= 0) & (millionths <= MILLION)
        whole = good.all()
        scores = (millionths if whole else np.where(good, millionths, 0)).astype(np.int32)
        scored = pa.RecordBatch.from_arrays(
            [*batch.columns[:3], pa.Array.from_buffers(SCORE, rows, [None, pa.py_buffer(scores)])], schema=schema
        )
        if whole:
            return scored
        reasons = np.where(np.isfinite(millionths[~good]), OUTSIDE, NOT_FINITE)
        self.rejected.append(pa.table({"user_id": batch.column(0).filter(pa.array(~good)), "reason": reasons.astype(object)}))
        return scored.filter(pa.array(good))

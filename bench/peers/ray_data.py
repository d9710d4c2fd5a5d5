"""Peer: Ray Data, map_batches with a pool of actors, Parquet in and out."""

from job import BATCH_ROWS, CONSTANTS, FEATURES, SUMMARY, WINDOW, WINDOW_END, WINDOW_START, Stopwatch, parse_arguments

clock = Stopwatch()

import datetime
import os
import shutil
import tempfile
import uuid

os.environ.update(RAY_DATA_DISABLE_PROGRESS_BARS="1", RAY_USAGE_STATS_ENABLED="0")

import duckdb
import numpy as np
import pyarrow as pa
import ray
from ray.data.expressions import col, lit

READ_BLOCKS = 40

arguments = parse_arguments()
out = arguments.data / "out_ray"
shutil.rmtree(out, ignore_errors=True)
# Ray puts sockets there, and their paths must be short.
temporary = tempfile.mkdtemp(prefix="ray-")
ray.init(
    num_cpus=arguments.workers,
    include_dashboard=False,
    logging_level="ERROR",
    _temp_dir=temporary,
    object_store_memory=2 * 2**30,
)


class Score:
    def __init__(self, model: str, run_id: str):
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(model, options)
        now = datetime.datetime.now(datetime.timezone.utc)
        instant = pa.timestamp("us", "UTC")
        self.constants = {
            "job": pa.scalar(CONSTANTS["job"]),
            "window_start": pa.scalar(datetime.datetime.fromisoformat(f"{CONSTANTS['window_start']}+00:00"), instant),
            "window_end": pa.scalar(datetime.datetime.fromisoformat(f"{CONSTANTS['window_end']}+00:00"), instant),
            "run_id": pa.scalar(run_id),
            "scored_at": pa.scalar(now, instant),
        }

    def __call__(self, users: pa.Table) -> pa.Table:
        rows = users.num_rows
        matrix = np.empty((rows, len(FEATURES)), np.float32)
        for column, name in enumerate(FEATURES):
            matrix[:, column] = users.column(name).fill_null(-1).to_numpy()
        (probabilities,) = self.session.run(["probabilities"], {"features": matrix})
        return pa.table(
            {
                "user_id": users.column("user_id"),
                "country": users.column("country"),
                "plan": users.column("plan"),
                "churn_propensity": np.ascontiguousarray(probabilities[:, 1]),
                **{name: pa.repeat(value, rows) for name, value in self.constants.items()},
            }
        )


clock.lap("start")
users = ray.data.read_parquet(
    str(arguments.data / "parquet"), columns=["user_id", "country", "plan", "signup_date", *FEATURES], override_num_blocks=READ_BLOCKS
)
first, after = (lit(datetime.date.fromisoformat(day)) for day in (WINDOW_START, WINDOW_END))
users = users.filter(expr=(col("signup_date") >= first) & (col("signup_date") < after))
scored = users.map_batches(
    Score,
    fn_constructor_args=(str(arguments.model), f"{WINDOW}-{uuid.uuid4().hex[:12]}"),
    batch_size=BATCH_ROWS,
    batch_format="pyarrow",
    concurrency=arguments.workers,
    num_cpus=0.5,
)
scored.write_parquet(str(out))
clock.lap("score")
summary = SUMMARY.format(scored=f"'{out}/*.parquet'")
duckdb.connect().execute(f"COPY ({summary}) TO '{arguments.data / 'summary_ray.csv'}'")
clock.lap("summary")
clock.print()
ray.shutdown()
shutil.rmtree(temporary, ignore_errors=True)

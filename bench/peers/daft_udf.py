"""Peer: Daft, a class UDF in its own processes, Parquet in and out."""

from job import BATCH_ROWS, CONSTANTS, FEATURES, SUMMARY, WINDOW, WINDOW_END, WINDOW_START, Stopwatch, parse_arguments

clock = Stopwatch()

import datetime
import os
import shutil
import uuid

os.environ.update(DAFT_PROGRESS_BAR="0", DAFT_ANALYTICS_ENABLED="0", DO_NOT_TRACK="1")

import daft
import duckdb
import numpy as np
from daft import DataType, col, lit

arguments = parse_arguments()
model = str(arguments.model)
columns = len(FEATURES)
out = arguments.data / "out_daft"
shutil.rmtree(out, ignore_errors=True)


@daft.udf(return_dtype=DataType.float32(), batch_size=BATCH_ROWS, concurrency=arguments.workers)
class Score:
    def __init__(self):
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(model, options)

    def __call__(self, *features):
        matrix = np.empty((len(features[0]), columns), np.float32)
        for column, values in enumerate(features):
            matrix[:, column] = values.to_arrow().to_numpy(zero_copy_only=False)
        (probabilities,) = self.session.run(["probabilities"], {"features": matrix})
        return np.ascontiguousarray(probabilities[:, 1])


clock.lap("start")
numbers = [col(name).cast(DataType.float32()).fill_null(-1.0).alias(name) for name in FEATURES]
users = daft.read_parquet(str(arguments.data / "parquet" / "*.parquet")).where(
    (col("signup_date") >= lit(datetime.date.fromisoformat(WINDOW_START)))
    & (col("signup_date") < lit(datetime.date.fromisoformat(WINDOW_END)))
)
features = users.select("user_id", "country", "plan", *numbers)
instant = DataType.timestamp("us", "UTC")
scored = features.with_column("churn_propensity", Score(*[col(name) for name in FEATURES])).select(
    "user_id",
    "country",
    "plan",
    "churn_propensity",
    lit(CONSTANTS["job"]).alias("job"),
    lit(datetime.datetime.fromisoformat(CONSTANTS["window_start"])).cast(instant).alias("window_start"),
    lit(datetime.datetime.fromisoformat(CONSTANTS["window_end"])).cast(instant).alias("window_end"),
    lit(f"{WINDOW}-{uuid.uuid4().hex[:12]}").alias("run_id"),
    lit(datetime.datetime.now(datetime.timezone.utc)).cast(instant).alias("scored_at"),
)
scored.write_parquet(str(out))
clock.lap("score")
summary = SUMMARY.format(scored=f"'{out}/*.parquet'")
duckdb.connect().execute(f"COPY ({summary}) TO '{arguments.data / 'summary_daft.csv'}'")
clock.lap("summary")
clock.print()

"""Peer: Ray Data, map_batches with a pool of actors, Parquet in and out."""

from job import BATCH_ROWS, FEATURES, REPORT, VERSION, Stopwatch, parse_arguments

clock = Stopwatch()

import os
import shutil
import tempfile

os.environ.update(RAY_DATA_DISABLE_PROGRESS_BARS="1", RAY_USAGE_STATS_ENABLED="0")

import duckdb
import numpy as np
import pyarrow as pa
import ray

READ_BLOCKS = 40

arguments = parse_arguments()
out = arguments.data / "out_ray"
shutil.rmtree(out, ignore_errors=True)
# Ray puts sockets there, whose paths must be short.
temporary = tempfile.mkdtemp(prefix="ray-")
ray.init(
    num_cpus=arguments.workers,
    include_dashboard=False,
    logging_level="ERROR",
    _temp_dir=temporary,
    object_store_memory=2 * 2**30,
)


class Score:
    def __init__(self, model: str):
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(model, options)
        self.now = np.datetime64("now", "us")

    def __call__(self, users: pa.Table) -> pa.Table:
        rows = users.num_rows
        matrix = np.empty((rows, len(FEATURES)), np.float32)
        for column, name in enumerate(FEATURES):
            matrix[:, column] = users.column(name).fill_null(-1).to_numpy()
        (probabilities,) = self.session.run(["probabilities"], {"features": matrix})
        scores = np.ascontiguousarray(probabilities[:, 1])
        return pa.table(
            {
                "user_id": users.column("user_id"),
                "score": scores,
                "bucket": np.minimum((scores * 10).astype(np.int32), 9) + 1,
                "model_version": [VERSION] * rows,
                "scored_at": np.full(rows, self.now),
                "country": users.column("country"),
                "plan": users.column("plan"),
            }
        )


clock.lap("start")
users = ray.data.read_parquet(
    str(arguments.data / "parquet"), columns=["user_id", *FEATURES, "country", "plan"], override_num_blocks=READ_BLOCKS
)
scored = users.map_batches(
    Score,
    fn_constructor_args=(str(arguments.model),),
    batch_size=BATCH_ROWS,
    batch_format="pyarrow",
    concurrency=arguments.workers,
    num_cpus=0.5,
)
scored.write_parquet(str(out))
clock.lap("score")
report = REPORT.format(scored=f"'{out}/*.parquet'")
duckdb.connect().execute(f"COPY ({report}) TO '{arguments.data / 'report_ray.csv'}'")
clock.lap("report")
clock.print()
ray.shutdown()
shutil.rmtree(temporary, ignore_errors=True)

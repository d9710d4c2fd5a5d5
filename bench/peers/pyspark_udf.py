"""Peer: PySpark on one machine, an iterator pandas_udf, Parquet in and out."""

from job import BATCH_ROWS, FEATURES, VERSION, Stopwatch, parse_arguments

clock = Stopwatch()

import os
import sys
from collections.abc import Iterator

os.environ["PYSPARK_PYTHON"] = sys.executable

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql.functions import pandas_udf

arguments = parse_arguments()
model = str(arguments.model)
columns = len(FEATURES)
out = str(arguments.data / "out_pyspark")
settings = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.local.dir": str(arguments.data / "tmp_pyspark"),
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.files.maxPartitionBytes": "64m",
}
builder = SparkSession.builder.master(f"local[{arguments.workers}]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


@pandas_udf("float")
def score(batches: Iterator[tuple[pd.Series, ...]]) -> Iterator[pd.Series]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options)
    for features in batches:
        matrix = np.empty((len(features[0]), columns), np.float32)
        for column, values in enumerate(features):
            matrix[:, column] = values.values
        (probabilities,) = session.run(["probabilities"], {"features": matrix})
        yield pd.Series(probabilities[:, 1])


clock.lap("start")
numbers = [f.coalesce(f.col(name).cast("float"), f.lit(-1.0).cast("float")).alias(name) for name in FEATURES]
users = spark.read.parquet(str(arguments.data / "parquet")).select("user_id", *numbers, "country", "plan")
scored = users.select("user_id", score(*FEATURES).alias("score"), "country", "plan").select(
    "user_id",
    "score",
    (f.floor(f.col("score") * 10) + 1).cast("int").alias("bucket"),
    f.lit(VERSION).alias("model_version"),
    f.current_timestamp().alias("scored_at"),
    "country",
    "plan",
)
scored.write.mode("overwrite").parquet(out)
clock.lap("score")
report = (
    spark.read.parquet(out)
    .groupBy("country", "plan")
    .agg(
        f.count("*").alias("users"),
        f.avg("score").alias("mean_score"),
        f.sum((f.col("score") >= 0.7).cast("int")).alias("high_risk"),
    )
    .orderBy("country", "plan")
    .toPandas()
)
report.to_csv(arguments.data / "report_pyspark.csv", index=False)
clock.lap("report")
clock.print()
spark.stop()

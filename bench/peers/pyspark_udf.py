"""Peer: PySpark on one machine, an iterator pandas_udf, Parquet in and out."""

from job import BATCH_ROWS, CONSTANTS, FEATURES, WINDOW, WINDOW_END, WINDOW_START, Stopwatch, parse_arguments

clock = Stopwatch()

import os
import sys
import uuid
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
    "spark.sql.session.timeZone": "UTC",
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
week = (f.col("signup_date") >= f.lit(WINDOW_START)) & (f.col("signup_date") < f.lit(WINDOW_END))
users = spark.read.parquet(str(arguments.data / "parquet")).where(week).select("user_id", "country", "plan", *numbers)
scored = users.select("user_id", "country", "plan", score(*FEATURES).alias("churn_propensity")).select(
    "*",
    f.lit(CONSTANTS["job"]).alias("job"),
    *[f.lit(CONSTANTS[name]).cast("timestamp").alias(name) for name in ("window_start", "window_end")],
    f.lit(f"{WINDOW}-{uuid.uuid4().hex[:12]}").alias("run_id"),
    f.current_timestamp().alias("scored_at"),
)
scored.write.mode("overwrite").parquet(out)
clock.lap("score")
placed = spark.read.parquet(out).withColumn("band", f.when(f.col("churn_propensity") >= 0.7, "high").otherwise("low"))
placed.createOrReplaceTempView("placed")
summary = spark.sql(
    """WITH segments AS (
        SELECT CASE WHEN grouping(country) = 0 THEN 'country' WHEN grouping(plan) = 0 THEN 'plan' ELSE 'all' END AS segment,
            CASE WHEN grouping(country) = 0 THEN country WHEN grouping(plan) = 0 THEN plan ELSE 'all' END AS segment_value,
            band, count(*) AS users, sum(churn_propensity) AS total
        FROM placed GROUP BY GROUPING SETS ((band), (country, band), (plan, band))
    )
    SELECT segment, segment_value, band, users, users / sum(users) OVER (PARTITION BY segment, segment_value) AS share,
        total / users AS mean_score, total AS expected_churners
    FROM segments ORDER BY segment, segment_value, band"""
).toPandas()
summary.to_csv(arguments.data / "summary_pyspark.csv", index=False)
clock.lap("summary")
clock.print()
spark.stop()

"""The command line that every peer takes, and the summary that it prints at the end.

The job of all peers: read the users, nulls become -1, score them with the model (input `features` [N, 20] float32, output
`probabilities` [N, 2]), write the scores of the week and a summary. The Python peers write tables with exactly score-batch's
columns; the others cannot publish tables, and write the columns of `core` to Parquet.
"""

import argparse
import json
import pathlib
import time

FEATURES = [f"f{k}" for k in range(20)]
VERSION = "v1"
WINDOW, WINDOW_START, WINDOW_END = "2026-W32", "2026-08-03", "2026-08-10"
BATCH_ROWS = 16_384

# Values that all rows share, by column of `core`; each run adds `run_id` and `scored_at`.
CONSTANTS = {"job": "core", "window_start": f"{WINDOW_START} 00:00:00", "window_end": f"{WINDOW_END} 00:00:00"}

# Users, shares and mean scores by segment and band, from the Parquet scores.
SUMMARY = """WITH cells AS (
        SELECT country, plan, CASE WHEN churn_propensity >= 0.7 THEN 'high' ELSE 'low' END AS band,
            count(*) AS users, sum(churn_propensity) AS total
        FROM {scored} GROUP BY ALL
    ), segments AS (
        SELECT CASE WHEN grouping(country) = 0 THEN 'country' WHEN grouping(plan) = 0 THEN 'plan' ELSE 'all' END AS segment,
            CASE WHEN grouping(country) = 0 THEN country WHEN grouping(plan) = 0 THEN plan ELSE 'all' END AS segment_value,
            band, sum(users) AS users, sum(total) AS total
        FROM cells GROUP BY GROUPING SETS ((band), (country, band), (plan, band))
    )
    SELECT segment, segment_value, band, users, users / sum(users) OVER (PARTITION BY segment, segment_value) AS share,
        total / users AS mean_score, total AS expected_churners
    FROM segments ORDER BY ALL"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path, help="folder with users.duckdb and parquet/; results go there too")
    parser.add_argument("model", type=pathlib.Path, help="model.onnx")
    parser.add_argument("--workers", type=int, default=2, help="threads or processes that score")
    parser.add_argument("--query", type=pathlib.Path, help="file with the query of the job; only the Python peers read one")
    parser.add_argument("--provider", default="CPUExecutionProvider", help="of onnxruntime; only the Python peers take another")
    return parser.parse_args()


class Stopwatch:
    """Seconds from one lap to the next, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self.last, 3)
        self.last = now

    def print(self) -> None:
        print(json.dumps({"seconds": self.seconds}), flush=True)

"""The tables that both Python peers publish to, with the names, columns and types of score-batch."""

import argparse
import hashlib
import uuid

import duckdb
import pyarrow as pa

from job import VERSION, WINDOW, WINDOW_END, WINDOW_START

SCORE = {"churn_propensity": "DECIMAL(7,6)"}
PLACE = {"rank": "BIGINT", "percentile": "BIGINT", "decile": "BIGINT", "band": "VARCHAR"}
PUBLICATION = {
    "job": "VARCHAR",
    "window_label": "VARCHAR",
    "window_start": "TIMESTAMPTZ",
    "window_end": "TIMESTAMPTZ",
    "run_id": "VARCHAR",
}
MODEL = {"window_kind": "VARCHAR", "model_name": "VARCHAR", "model_version": "VARCHAR", "model_digest": "VARCHAR"}
SCORED_AT = {"scored_at": "TIMESTAMPTZ"}
KEEP = {"country": "VARCHAR", "plan": "VARCHAR"}
REJECTION = {"reason": "VARCHAR", "column_name": "VARCHAR", "value": "VARCHAR"}
SUMMARY = {
    "segment": "VARCHAR",
    "segment_value": "VARCHAR",
    "band": "VARCHAR",
    "users": "BIGINT",
    "share": "DECIMAL(7,6)",
    "mean_score": "DECIMAL(7,6)",
    "expected_churners": "DECIMAL(18,6)",
}


def constants(arguments: argparse.Namespace, job: str) -> dict[str, str]:
    """SQL of the values that all rows share, by column."""
    return {
        "job": f"'{job}'",
        "window_label": f"'{WINDOW}'",
        "window_start": f"TIMESTAMPTZ '{WINDOW_START} 00:00:00+00'",
        "window_end": f"TIMESTAMPTZ '{WINDOW_END} 00:00:00+00'",
        "run_id": f"'{WINDOW}-{uuid.uuid4().hex[:12]}'",
        "window_kind": "'week'",
        "model_name": f"'bench-{arguments.model.parent.name}'",
        "model_version": f"'{VERSION}'",
        "model_digest": f"'{hashlib.sha256(arguments.model.read_bytes()).hexdigest()}'",
        "scored_at": "now()",
    }


def create(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]) -> None:
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS marketing; CREATE TABLE IF NOT EXISTS marketing.{table} ({listed})")


def listed(columns: dict[str, str], values: dict[str, str]) -> str:
    """A select list: the value of each column."""
    return ", ".join(values.get(name, name) for name in columns)


def insert_quarantine(
    connection: duckdb.DuckDBPyConnection, key: dict[str, str], rejected: list[pa.Table], values: dict[str, str]
) -> None:
    columns = key | REJECTION | PUBLICATION
    create(connection, "churn_scores_quarantine", columns)
    if rejected:
        quarantined = pa.concat_tables(rejected)
        nothing = {"column_name": "NULL", "value": "NULL"}
        connection.execute(
            f"INSERT INTO marketing.churn_scores_quarantine SELECT {listed(columns, values | nothing)} FROM quarantined"
        )


def insert_summary(connection: duckdb.DuckDBPyConnection, placed: str, values: dict[str, str]) -> None:
    """Users, shares and scores by segment and band. `placed` has country, plan, band and score in millionths; quotients are rounded half up."""
    columns = SUMMARY | PUBLICATION
    create(connection, "churn_summary", columns)
    computed = {
        "share": "((2000000 * users + everybody) // (2 * everybody))::DECIMAL(24,0) * 0.000001::DECIMAL(7,6)",
        "mean_score": "((2 * total + users) // (2 * users))::DECIMAL(24,0) * 0.000001::DECIMAL(7,6)",
        "expected_churners": "total::DECIMAL(24,0) * 0.000001::DECIMAL(7,6)",
    }
    connection.execute(
        f"""INSERT INTO marketing.churn_summary
        WITH cells AS (SELECT country, plan, band, count(*) AS users, sum(millionths)::BIGINT AS total FROM ({placed}) GROUP BY ALL),
        segments AS (
            SELECT CASE WHEN grouping(country) = 0 THEN 'country' WHEN grouping(plan) = 0 THEN 'plan' ELSE 'all' END AS segment,
                CASE WHEN grouping(country) = 0 THEN country WHEN grouping(plan) = 0 THEN plan ELSE 'all' END AS segment_value,
                band, sum(users)::BIGINT AS users, sum(total)::BIGINT AS total
            FROM cells GROUP BY GROUPING SETS ((band), (country, band), (plan, band))
        )
        SELECT {listed(columns, values | computed)}
        FROM (SELECT *, (sum(users) OVER (PARTITION BY segment, segment_value))::BIGINT AS everybody FROM segments)"""
    )

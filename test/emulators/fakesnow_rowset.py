"""Arrow tables as the JSON rowsets that Snowflake's Node driver reads: a list of rows, all values text or null.

The forms are those that the driver's result/column.js parses. They say nothing about what Snowflake itself would send.
"""

import datetime
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa

EPOCH = datetime.date(1970, 1, 1)
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
UTC_OFFSET = 1440  # Minutes; Snowflake counts them from one day west.


def rowset(table: pa.Table, rowtype: list[dict]) -> list[list[str | None]]:
    """Rows of a result; `rowtype` has Snowflake's type of each column."""
    columns = [
        _column(column, info["type"])
        for column, info in zip(table.columns, rowtype, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(column: pa.ChunkedArray, sf_type: str) -> list[str | None]:
    to_text = _to_text(column.type, sf_type)
    if pa.types.is_timestamp(column.type) or pa.types.is_time(column.type):
        # As integers: Python's own times have no nanoseconds and no year 10000.
        wide = pa.int64() if column.type.bit_width == 64 else pa.int32()
        column = column.cast(wide)
    return [None if value is None else to_text(value) for value in column.to_pylist()]


def _to_text(arrow_type: pa.DataType, sf_type: str) -> Callable[..., str]:
    if pa.types.is_timestamp(arrow_type) or pa.types.is_time(arrow_type):
        per_second = PER_SECOND[arrow_type.unit]
        zone = f" {UTC_OFFSET}" if sf_type == "timestamp_tz" else ""
        return lambda ticks: _seconds(ticks, per_second) + zone
    if pa.types.is_date(arrow_type):
        return lambda value: str((value - EPOCH).days)
    if pa.types.is_boolean(arrow_type):
        return lambda value: "1" if value else "0"
    if pa.types.is_floating(arrow_type):
        # The shortest text that reads back as the same number.
        return lambda value: "NaN" if value != value else repr(value)
    if pa.types.is_decimal(arrow_type):
        return lambda value: format(Decimal(value), "f")
    if pa.types.is_binary(arrow_type) or pa.types.is_large_binary(arrow_type):
        return lambda value: value.hex().upper()
    return str


def _seconds(ticks: int, per_second: int) -> str:
    """Seconds with nine decimals, exact and also right before 1970: -0.25 s is -0.250000000."""
    nanoseconds = abs(ticks) * (10**9 // per_second)
    sign = "-" if ticks < 0 else ""
    return f"{sign}{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"

"""What fakesnow 0.12.1 lacks, or does unlike Snowflake, and the tests need.

Each replaced function says why. All of it follows Snowflake's documentation, none of it was compared with Snowflake.
"""

import hashlib
import os
import shutil
from email.utils import formatdate
from pathlib import Path

import fakesnow.server as server
from fakesnow import copy_into, cursor, info_schema, rowtype, transforms
from fakesnow.instance import FakeSnow
from fakesnow.transforms import stage
from sqlglot import exp
from sqlglot.generators.duckdb import DuckDBGenerator

# Types of DuckDB that results can have and fakesnow does not know.
OTHER_TYPES = {
    "TINYINT": "fixed",
    "SMALLINT": "fixed",
    "UTINYINT": "fixed",
    "USMALLINT": "fixed",
    "UINTEGER": "fixed",
    "UHUGEINT": "fixed",
    "FLOAT": "real",
    "TIMESTAMP_S": "timestamp_ntz",
    "TIMESTAMP_MS": "timestamp_ntz",
}


def apply() -> None:
    transforms.alter_session = alter_session
    transforms.integer_precision = integer_precision
    # It makes SUM(NUMBER) a float, for the sake of SUM(VARCHAR).
    transforms.numeric_agg_implicit_cast = lambda expression: expression
    transforms.trim_cast_varchar = trim_cast_varchar
    transforms.list_stage = list_or_remove_stage
    cursor.FakeSnowflakeCursor._describe_only = describe_only
    copy_into._describe_table = describe_table
    copy_into._source_urls = source_urls
    info_schema.insert_table_comment_sql = insert_table_comment_sql
    info_schema.insert_text_lengths_sql = insert_text_lengths_sql
    info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW = columns_view()
    DuckDBGenerator.TRANSFORMS[exp.MD5NumberUpper64] = md5_number_upper64
    rowtype.duckdb_to_sf_type.update(OTHER_TYPES)
    # A new instance, since the views are made with it.
    server.shared_fs = FakeSnow()


def alter_session(expression: exp.Expr) -> exp.Expr:
    """ALTER SESSION is refused, bar AUTOCOMMIT. Here all succeeds and does nothing: the session stays in UTC."""
    if not (isinstance(expression, exp.Alter) and expression.kind == "SESSION"):
        return expression
    if "AUTOCOMMIT" in expression.sql().upper():
        return _alter_session(expression)
    return transforms.SUCCESS_NOP.copy()


_alter_session = transforms.alter_session


def integer_precision(expression: exp.Expr) -> exp.Expr:
    """NUMBER(38,0) becomes a 64-bit integer, which cannot hold 38 digits. Here only the integer types do."""
    if isinstance(expression, exp.DataType) and expression.is_type("decimal"):
        if not expression.expressions:
            return exp.DataType.build("DECIMAL(38, 0)")
        return expression
    return _integer_precision(expression)


_integer_precision = transforms.integer_precision


def trim_cast_varchar(expression: exp.Expr) -> exp.Expr:
    """TRIM of anything but a cast forgets which characters to trim, and on which side."""
    if isinstance(expression, exp.Trim) and not isinstance(expression.this, exp.Cast):
        expression = expression.copy()
        expression.set("this", exp.cast(expression.this, "VARCHAR"))
    return expression


def md5_number_upper64(generator: DuckDBGenerator, expression: exp.Expr) -> str:
    """MD5_NUMBER_UPPER64 is not there: the first 16 hex digits of the MD5, as an unsigned 64-bit number."""
    digits = f"SUBSTRING(MD5({generator.sql(expression, 'this')}), 1, 16)"
    return f"CAST(CAST('0x' || {digits} AS UBIGINT) AS HUGEINT)"


def describe_only(self: cursor.FakeSnowflakeCursor, command: str) -> list | None:
    """A UNION is described by running it. Here it is described as a SELECT is; `?` counts as NULL."""
    expression = cursor.parse_one(command)
    if not isinstance(expression, exp.SetOperation):
        return _describe_only(self, command)
    wrapped = exp.select("*").from_(expression.subquery("described"))
    return _describe_only(self, wrapped.sql(dialect="snowflake"))


_describe_only = cursor.FakeSnowflakeCursor._describe_only


def describe_table(
    table: exp.Table, duck_conn, database: str | None, schema: str | None
) -> list[tuple]:
    """COPY INTO pastes the table's name without quotes."""
    parts = [table.catalog or database, table.db or schema, table.name]
    name = ".".join(quoted(part) for part in parts)
    return [row[:2] for row in duck_conn.execute(f"DESCRIBE {name}").fetchall()]


def source_urls(source: str, files: list[str]) -> list[str]:
    """COPY INTO … FILES = (…) takes only URLs, no stage."""
    if stage.is_internal(source):
        return [f"{source.rstrip('/')}/{file}" for file in files]
    return _source_urls(source, files)


_source_urls = copy_into._source_urls


def insert_table_comment_sql(
    catalog: str, schema: str, table: str, comment: str | None
) -> str:
    """A comment with a quote in it breaks the statement, and a table without one gets 'None'."""
    values = ", ".join(
        "NULL" if value is None else literal(value)
        for value in (catalog, schema, table, comment)
    )
    return f"""
        INSERT INTO _fs_global._fs_information_schema._fs_tables_ext VALUES ({values})
        ON CONFLICT (ext_table_catalog, ext_table_schema, ext_table_name)
        DO UPDATE SET comment = excluded.comment
    """


def insert_text_lengths_sql(
    catalog: str, schema: str, table: str, text_lengths: list[tuple[str, int]]
) -> str:
    """A column's name with a quote in it breaks the statement."""
    escaped = [(name.replace("'", "''"), size) for name, size in text_lengths]
    return _insert_text_lengths_sql(catalog, schema, table.replace("'", "''"), escaped)


_insert_text_lengths_sql = info_schema.insert_text_lengths_sql


def columns_view() -> str:
    """INFORMATION_SCHEMA.COLUMNS knows only BIGINT as NUMBER(38,0), and has no DATETIME_PRECISION."""
    integers = "('BIGINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'HUGEINT', 'UBIGINT')"
    view = info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW
    return view.replace(
        "columns.data_type='BIGINT'", f"columns.data_type in {integers}"
    ).replace(
        "COLLATION_NAME,",
        """case when starts_with(columns.data_type, 'TIME') then 9 end as DATETIME_PRECISION,
COLLATION_NAME,""",
    )


def list_or_remove_stage(
    expression: exp.Expr,
    database: str | None,
    schema: str | None,
    table_stages: stage.TableStages,
) -> exp.Expr:
    """LIST takes no path, and REMOVE is not there."""
    if isinstance(expression, exp.Drop) and expression.args.get("kind") == "STAGE":
        return dropped_stage(expression, database, schema, table_stages)
    if isinstance(expression, exp.ListStage):
        removes, reference = False, expression.this.name
    elif isinstance(expression, exp.Command) and expression.this.upper() in (
        "REMOVE",
        "RM",
    ):
        removes, reference = True, str(expression.expression)
    else:
        return expression
    if removes and "pattern" in reference.lower():
        raise NotImplementedError("REMOVE with PATTERN")
    name, _, path = reference.strip().strip("'").removeprefix("@").partition("/")
    parts = stage.parts_from_var(name, database, schema)
    lookup = stage.stage_lookup_sql(*parts, table_stages)
    found = table_stages._duck_conn.execute(lookup).fetchone()
    if found is None:
        raise stage.not_found_error(".".join(parts))
    root = Path(stage.internal_dir(found[0]))
    files = [
        file
        for file in sorted(root.rglob("*"))
        if file.is_file() and file.relative_to(root).as_posix().startswith(path)
    ]
    return removed(files) if removes else listed(files)


def dropped_stage(
    expression: exp.Drop,
    database: str | None,
    schema: str | None,
    table_stages: stage.TableStages,
) -> exp.Expr:
    """DROP STAGE is not there."""
    name = next(expression.find_all(exp.Table)).sql(dialect="snowflake")
    parts = stage.parts_from_var(name, database, schema)
    shutil.rmtree(stage.internal_dir(".".join(parts)), ignore_errors=True)
    table_stages._duck_conn.execute(
        """DELETE FROM _fs_global._fs_information_schema._fs_stages
        WHERE database_name = ? AND schema_name = ? AND name = ?""",
        parts,
    )
    return transforms.SUCCESS_NOP.copy()


def listed(files: list[Path]) -> exp.Expr:
    rows = [
        (
            stage.internal_file_name(str(file)),
            file.stat().st_size,
            hashlib.md5(file.read_bytes()).hexdigest(),
            formatdate(file.stat().st_mtime, usegmt=True),
        )
        for file in files
    ]
    return rows_of(rows, {"name": "TEXT", "size": "BIGINT", "md5": "TEXT", "last_modified": "TEXT"})


def removed(files: list[Path]) -> exp.Expr:
    rows = [(stage.internal_file_name(str(file)), "removed") for file in files]
    for file in files:
        os.remove(file)
    return rows_of(rows, {"name": "TEXT", "result": "TEXT"})


def rows_of(rows: list[tuple], columns: dict[str, str]) -> exp.Expr:
    """A query of these rows; of none, with the same columns."""
    values = exp.values(rows or [(None,) * len(columns)], "rows", list(columns))
    names = [
        exp.alias_(exp.cast(exp.column(name), kind), name, quoted=True)
        for name, kind in columns.items()
    ]
    query = exp.select(*names).from_(values)
    return query if rows else query.where(exp.false())


def quoted(name: str | None) -> str:
    return exp.to_identifier(name, quoted=True).sql(dialect="duckdb")


def literal(value: str) -> str:
    return exp.Literal.string(value).sql(dialect="duckdb")

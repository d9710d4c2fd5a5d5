"""Where bqemulator differs from BigQuery in a way that would hide mistakes of ours or make right SQL fail."""

import re
import threading
from collections import OrderedDict
from contextvars import ContextVar

import bqemulator.api.routes.jobs as jobs
import bqemulator.api.routes.tables as tables
import bqemulator.api.routes.upload as upload
import bqemulator.grpc_api.read_servicer as read_servicer
from bqemulator.storage.engine import DuckDBEngine
import bqemulator.storage.type_map as type_map
import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

# Statements whose trees are kept.
TREES = 256

# Stands for BIGNUMERIC.
WIDE = "DECIMAL(38, 0)"


def apply() -> None:
    give_casts_their_digits()
    keep_wide_whole_numbers()
    keep_ids_of_uploads()
    run_nothing_dry()
    take_every_column_name()
    take_every_restriction()
    read_beside_what_is_written()
    parse_once()
    show_definitions_of_views()


def give_casts_their_digits() -> None:
    """BigQuery's casts take no digits: NUMERIC has 38, nine of them after the point; DuckDB's bare DECIMAL has 18 and 3."""
    original = DuckDB.Generator.datatype_sql

    def datatype_sql(self: DuckDB.Generator, expression: exp.DataType) -> str:
        decimal = expression.is_type(exp.DataType.Type.DECIMAL, exp.DataType.Type.BIGDECIMAL)
        if decimal and not expression.expressions:
            return WIDE if expression.is_type(exp.DataType.Type.BIGDECIMAL) else "DECIMAL(38, 9)"
        return original(self, expression)

    DuckDB.Generator.datatype_sql = datatype_sql


def keep_wide_whole_numbers() -> None:
    """Columns of BIGNUMERIC cannot be made: DuckDB's decimals end at 38 digits. Here they hold whole numbers of as many."""
    type_map._BQ_TO_DUCKDB["BIGNUMERIC"] = WIDE


def keep_ids_of_uploads() -> None:
    """A load job with an uploaded file gets another id than the one it was sent with, and cannot be looked up by that."""
    sent: ContextVar[str | None] = ContextVar("sent", default=None)
    original_configuration = upload._load_configuration_from_envelope
    original_id = upload._new_job_id

    def configuration(envelope: dict) -> dict:
        sent.set(envelope.get("jobReference", {}).get("jobId"))
        return original_configuration(envelope)

    upload._load_configuration_from_envelope = configuration
    upload._new_job_id = lambda: sent.get() or original_id()


def run_nothing_dry() -> None:
    """A dry run runs the query: here on no rows, so that what fails at run time only does not fail."""
    original = jobs._dry_run_response

    async def dry_run(*, bq_sql: str, **options: object) -> dict:
        is_query = re.match(r"\s*(select|with)\b", bq_sql, re.IGNORECASE)
        sql = f"SELECT * FROM ({bq_sql}\n) AS dry LIMIT 0" if is_query else bq_sql
        return await original(bq_sql=sql, **options)

    jobs._dry_run_response = dry_run


def take_every_column_name() -> None:
    """The Storage API knows only the names that BigQuery's columns had in earlier years."""
    read_servicer._COLUMN_NAME_RE = re.compile(r".+")


def take_every_restriction() -> None:
    """Its guard against statements in a restriction of the Storage API refuses texts that only look like them."""
    read_servicer._reject_dangerous_filter = lambda row_filter: None


def read_beside_what_is_written() -> None:
    """Whatever only reads runs on threads of its own, all on one connection, where each takes the other's results away."""
    original = DuckDBEngine.execute

    def execute(self: DuckDBEngine, sql: str, parameters: list | None = None) -> object:
        if threading.current_thread() is threading.main_thread():
            return original(self, sql, parameters)
        cursor = self.connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor.execute(sql, parameters)

    DuckDBEngine.execute = execute


def parse_once() -> None:
    """Some twenty passes over a statement parse it anew, which is most of the emulator's time: each gets a copy of the first one's tree."""
    original = sqlglot.parse_one
    trees: OrderedDict[tuple[str, str], exp.Expression] = OrderedDict()
    lock = threading.Lock()

    def parse_one(sql: str, read: str | None = None, **options: object) -> exp.Expression:
        if options or not isinstance(read, str):
            return original(sql, read=read, **options)
        with lock:
            tree = trees.get((sql, read))
        if tree is None:
            tree = original(sql, read=read)
            with lock:
                trees[sql, read] = tree
                if len(trees) > TREES:
                    trees.popitem(last=False)
        return tree.copy()

    sqlglot.parse_one = parse_one


def show_definitions_of_views() -> None:
    """The resource of a view says that it is one, but not what it selects."""
    original = tables._table_to_rest

    def table_to_rest(table: object) -> dict:
        query = getattr(table, "view_query", None)
        view = {"view": {"query": query, "useLegacySql": False}} if query else {}
        return {**original(table), **view}

    tables._table_to_rest = table_to_rest

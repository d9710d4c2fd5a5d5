"""Snowflake for the tests: fakesnow, a Snowflake API on DuckDB, made to answer the Node driver.

Usage: python fakesnow_json.py [--host HOST] [--port PORT] [--stages FOLDER] [--end-with-parent]

Its address is printed as one line of JSON once it answers: {"url": "http://…"}.

Why fakesnow's server is not used as it is:

- It answers Arrow. The Node driver reads JSON rowsets only, so the query route is replaced (fakesnow_rowset.py).
- The driver fetches results by id, for which there is no route.
- It turns what fakesnow cannot do into HTTP 500. The driver repeats such a request for minutes, which looks like a hang.
  Here it is an error of the statement, as Snowflake reports one.
- It gives PUT an upload address on the server. The driver is on the same machine: it copies the file itself.
- Statements of one session may overlap, and fakesnow has one DuckDB connection for each: they take turns here.

What fakesnow lacks or does differently is in fakesnow_patches.py, fakesnow_locks.py and fakesnow_unload.py. All of this is written by us from what the driver
reads, so a test that passes here is not evidence of how Snowflake encodes a result.
"""

import argparse
import asyncio
import gzip
import json
import logging
import socket
import traceback
from collections import OrderedDict, defaultdict
from pathlib import Path

import duckdb
import uvicorn
import fakesnow.server as server
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.converter import from_binding
from fakesnow.dialect import parse_one
from fakesnow.rowtype import describe_as_rowtype
from fakesnow.statement_type import statement_type_id
from fakesnow.transforms import stage
from snowflake.connector.errors import Error
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import fakesnow_patches
import fakesnow_unload
from fakesnow_locks import TableLocks
from fakesnow_rowset import rowset
from until_parent_ends import until_parent_ends

logger = logging.getLogger("uvicorn.error")

# Snowflake's code of an internal error; what fakesnow cannot do has no code of its own.
NOT_SUPPORTED = "000603"
RESULTS_KEPT = 1000

# What the driver needs to know to make values of the texts.
PARAMETERS = {
    "TIMEZONE": "Etc/UTC",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
    "BINARY_OUTPUT_FORMAT": "HEX",
}

results: OrderedDict[str, dict] = OrderedDict()
locks = TableLocks()
turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
running: dict[str, FakeSnowflakeConnection] = {}


async def query_request(request: Request) -> JSONResponse:
    try:
        token = server.to_token(request)
        connection = server.to_conn(token)
    except server.ServerError as error:
        refused = failure(error.code, error.message)
        return JSONResponse(refused, status_code=error.status_code)
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    statement = {**json.loads(body), "url": str(request.base_url)}
    request_id = request.query_params.get("requestId", "")
    async with turns[token]:
        running[request_id] = connection
        try:
            answer = await answer_in_turn(token, connection, statement)
        finally:
            del running[request_id]
    keep(answer)
    return JSONResponse(answer)


async def answer_in_turn(
    token: str, connection: FakeSnowflakeConnection, statement: dict
) -> dict:
    sql = statement["sqlText"]
    try:
        await locks.before(token, connection, sql)
        return await run_in_threadpool(answer_to, connection, statement)
    except Error as error:
        return failure(f"{error.errno:06d}", error.msg, error.sqlstate)
    finally:
        locks.after(token, sql)


async def abort_request(request: Request) -> JSONResponse:
    """Ends the statement of that request, which fakesnow keeps running."""
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if connection := running.get(json.loads(body)["requestId"]):
        connection._duck_conn.interrupt()
    return JSONResponse({"success": True, "code": None, "message": None, "data": None})


async def session(request: Request) -> JSONResponse:
    """A session that ends takes its transaction with it, which fakesnow leaves open."""
    if request.query_params.get("delete"):
        locks.end(server.to_token(request))
    return await server.session(request)


async def query_result(request: Request) -> JSONResponse:
    known = results.get(request.path_params["id"])
    return JSONResponse(known or failure("000709", "Statement not found"))


def answer_to(connection: FakeSnowflakeConnection, body: dict) -> dict:
    """Runs, or only describes, a statement and makes the answer that Snowflake would give."""
    sql = body["sqlText"]
    try:
        if body.get("describeOnly"):
            return described(connection, sql)
        return executed(connection, sql, parameters(body.get("bindings")), body["url"])
    except Error as error:
        logger.info("%s: %s", sql, error)
        return failure(f"{error.errno:06d}", error.msg, error.sqlstate)
    except duckdb.InterruptException:
        return failure("000604", "SQL execution canceled", "57014")
    except Exception as error:  # noqa: BLE001
        logger.warning("%s\n%s", sql, traceback.format_exc())
        return failure(NOT_SUPPORTED, f"fakesnow: {type(error).__name__}: {error}")


def executed(
    connection: FakeSnowflakeConnection, sql: str, binds: list | None, url: str
) -> dict:
    if get := fakesnow_unload.downloads(connection, sql, url):
        return {"success": True, "data": get}
    sql = fakesnow_unload.unloaded(connection, sql) or sql
    cursor = connection.cursor()
    cursor.execute(sql, binding_params=binds, server=True)
    if put := cursor._last_transformed.args.get("put_stage_data"):
        return {"success": True, "data": {**put, "threshold": 200 * 2**20}}
    rowtype = describe_as_rowtype(cursor._describe_last_sql())
    rows = rowset(cursor._arrow_table, rowtype)
    return success(connection, cursor.sfqid, sql, rowtype, rows)


def described(connection: FakeSnowflakeConnection, sql: str) -> dict:
    cursor = connection.cursor()
    columns = cursor._describe_only(sql)
    if columns is None:
        message = "fakesnow can describe only queries, DML and DDL without running them"
        return failure(NOT_SUPPORTED, message)
    return success(connection, cursor.sfqid, sql, describe_as_rowtype(columns), [])


def parameters(bindings: dict | None) -> list | None:
    """Values of `?` in order; an array of values for one `?` (a batch) is not supported."""
    if not bindings:
        return None
    ordered = [bindings[str(position)] for position in range(1, len(bindings) + 1)]
    return [None if bind["value"] is None else from_binding(bind) for bind in ordered]


def success(
    connection: FakeSnowflakeConnection,
    query_id: str,
    sql: str,
    rowtype: list,
    rows: list,
) -> dict:
    data = {
        "parameters": [
            {"name": name, "value": value} for name, value in PARAMETERS.items()
        ],
        "rowtype": rowtype,
        "rowset": rows,
        "total": len(rows),
        "returned": len(rows),
        "queryId": query_id,
        "statementTypeId": statement_type_id(parse_one(sql)),
        "finalDatabaseName": connection.database,
        "finalSchemaName": connection.schema,
        "queryResultFormat": "json",
        "version": 1,
    }
    return {"success": True, "code": None, "message": None, "data": data}


def failure(code: str, message: str, sqlstate: str | None = None) -> dict:
    data = {"errorCode": code, "sqlState": sqlstate}
    return {"success": False, "code": code, "message": message, "data": data}


def keep(answer: dict) -> None:
    if query_id := answer["data"].get("queryId"):
        results[query_id] = answer
        if len(results) > RESULTS_KEPT:
            results.popitem(last=False)


# The first that fits answers, so these go before fakesnow's own.
OURS = [
    Route("/queries/v1/query-request", query_request, methods=["POST"]),
    Route("/queries/v1/abort-request", abort_request, methods=["POST"]),
    Route("/queries/{id}/result", query_result, methods=["GET"]),
    Route("/session", session, methods=["POST"]),
    fakesnow_unload.ROUTE,
]


def main() -> None:
    parser = argparse.ArgumentParser(description="fakesnow for the Node driver")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--stages", type=Path, help="the driver must have it as well")
    parser.add_argument(
        "--end-with-parent", action="store_true", help="end when stdin closes"
    )
    arguments = parser.parse_args()
    fakesnow_patches.apply()
    if arguments.stages:
        stage.LOCAL_BUCKET_PATH = str(arguments.stages.resolve())
    app = Starlette(routes=[*OURS, *server.routes])
    listening = socket.create_server((arguments.host, arguments.port))
    # asyncio does not set it on such a socket, and each answer would wait 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if arguments.end_with_parent:
        until_parent_ends()
    host, port = listening.getsockname()
    print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
    uvicorn.Server(uvicorn.Config(app, access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()

"""COPY INTO a stage as one Parquet file, and GET: fakesnow has neither.

Each takes only the statement that score-batch sends. Of an unload this has what Snowflake documents: TIMESTAMP_TZ and
TIMESTAMP_LTZ are refused, a query without rows makes no file, and files are encrypted for the client that gets them. GET
says that they are in Google's storage, since the driver copies from a local folder only in the main thread. None of it was
compared with Snowflake.
"""

import io
import json
import os
import re
from pathlib import Path

import pyarrow.parquet
import pyarrow.types
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.transforms import stage
from snowflake.connector.encryption_util import SnowflakeEncryptionUtil
from snowflake.connector.errors import ProgrammingError
from snowflake.connector.storage_client import SnowflakeFileEncryptionMaterial
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FILE = r'@((?:"[^"]+"\.){2}"[^"]+")/([\w.-]+)'
UNLOAD = re.compile(
    rf"COPY INTO {FILE} FROM \((.*)\) FILE_FORMAT = \(TYPE = PARQUET COMPRESSION = SNAPPY\)"
    r"\s+OVERWRITE = TRUE SINGLE = TRUE MAX_FILE_SIZE = \d+ HEADER = TRUE",
    re.DOTALL,
)
GET = re.compile(rf"GET {FILE} 'file://([^']+)'")

MATERIAL = SnowflakeFileEncryptionMaterial("0123456789abcdef0123456789abcdef", "query-id", 1)

# Headers with which Google's storage gives an unloaded file back, by its path.
headers: dict[str, dict[str, str]] = {}


def unloaded(connection: FakeSnowflakeConnection, sql: str) -> str | None:
    """Does what an unload asks for. Returns a query of its answer; None for any other statement."""
    match = UNLOAD.fullmatch(sql.strip())
    if match is None:
        return None
    name, file, query = match.groups()
    folder = stage_folder(connection, name)
    cursor = connection.cursor()
    cursor.execute(query, server=True)
    table = cursor._arrow_table
    for field in table.schema:
        if pyarrow.types.is_timestamp(field.type) and field.type.tz is not None:
            message = f"{field.name}: TIMESTAMP_TZ and TIMESTAMP_LTZ cannot be unloaded to Parquet"
            raise ProgrammingError(msg=message, errno=2023, sqlstate="42601")
    size = write(table, folder, file) if table.num_rows > 0 else 0
    return f"SELECT {table.num_rows} AS rows_unloaded, {size} AS input_bytes, {size} AS output_bytes"


def write(table: pyarrow.Table, folder: Path, file: str) -> int:
    plain = io.BytesIO()
    pyarrow.parquet.write_table(table, plain)
    plain.seek(0)
    folder.mkdir(parents=True, exist_ok=True)
    pending = folder / f".{file}"
    with open(pending, "wb") as encrypted:
        metadata = SnowflakeEncryptionUtil.encrypt_stream(MATERIAL, plain, encrypted)
    data = {
        "WrappedContentKey": {"EncryptedKey": metadata.key},
        "ContentEncryptionIV": metadata.iv,
    }
    headers[str(folder / file)] = {
        "x-goog-meta-encryptiondata": json.dumps(data),
        "x-goog-meta-matdesc": metadata.matdesc,
    }
    # In one step, as objects appear in the storage of a cloud.
    os.replace(pending, folder / file)
    return (folder / file).stat().st_size


def downloads(connection: FakeSnowflakeConnection, sql: str, url: str) -> dict | None:
    """What the driver needs to get the files itself; None for a statement that is not a GET."""
    match = GET.fullmatch(sql.strip())
    if match is None:
        return None
    name, prefix, local = match.groups()
    folder = stage_folder(connection, name)
    found = [file.name for file in folder.glob("*")] if folder.exists() else []
    files = sorted(file for file in found if file.startswith(prefix))
    material = {
        "queryStageMasterKey": MATERIAL.query_stage_master_key,
        "queryId": MATERIAL.query_id,
        "smkId": MATERIAL.smk_id,
    }
    return {
        "command": "DOWNLOAD",
        "src_locations": files,
        "localLocation": local,
        "encryptionMaterial": [material] * len(files),
        # With a token there is no need of them, and the driver wants as many as there are files.
        "presignedUrls": [""] * len(files),
        "stageInfo": {
            "locationType": "GCS",
            "location": f"stages/{folder.relative_to(stage.LOCAL_BUCKET_PATH)}/",
            "region": "us",
            "endPoint": url.rstrip("/"),
            "creds": {"GCS_ACCESS_TOKEN": "gcs-token-of-the-emulator"},
        },
        "parallel": 1,
        "overwrite": False,
    }


async def stage_file(request: Request) -> Response:
    path = Path(stage.LOCAL_BUCKET_PATH) / request.path_params["path"]
    known = headers.get(str(path))
    if known is None or not path.exists():
        return Response(status_code=404)
    return FileResponse(path, headers=known)


ROUTE = Route("/stages/{path:path}", stage_file, methods=["GET"])


def stage_folder(connection: FakeSnowflakeConnection, name: str) -> Path:
    parts = stage.parts_from_var(name, connection.database, connection.schema)
    lookup = stage.stage_lookup_sql(*parts, connection.table_stages)
    found = connection._duck_conn.execute(lookup).fetchone()
    if found is None:
        raise stage.not_found_error(".".join(parts))
    return Path(stage.internal_dir(found[0]))

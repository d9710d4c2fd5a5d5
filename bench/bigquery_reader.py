"""Reads the frozen week as a plain script would: google-cloud-bigquery-storage, all streams at once, the columns that a chunk
worker reads. Encodes 20 features as a float32 matrix, with -1 for missing values.

Prints {"rows": …, "sum": …, "seconds": …, "cpu": …} for the read alone, without the start of Python. For
bench/bigquery.ts.
"""

import json
import math
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
from google.cloud.bigquery_storage_v1 import BigQueryReadClient, types
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

BUCKETS = 1000
STREAMS = 4

with open(sys.argv[1]) as file:
    plan = json.load(file)
channel = grpc.insecure_channel(plan["grpc"], options=[("grpc.max_receive_message_length", -1)])
client = BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))
frozen, features = plan["frozen"], plan["features"]
scratch = f"projects/bench/datasets/{plan['access']['scratch']}"


def encode(page) -> np.ndarray:
    batch = page.to_arrow()
    matrix = np.empty((batch.num_rows, len(features)), dtype=np.float32)
    for k, name in enumerate(features):
        column = batch.column(name)
        values = column.to_numpy(zero_copy_only=False)
        matrix[:, k] = np.where(np.isnan(values), -1, values) if column.null_count else values
    return matrix


def read(stream: types.ReadStream, session: types.ReadSession) -> tuple[int, float]:
    rows, total = 0, 0.0
    for page in client.read_rows(stream.name).rows(session).pages:
        matrix = encode(page)
        rows += len(matrix)
        total += float(matrix.sum(dtype=np.float64))
    return rows, total


def read_chunk(chunk: int) -> tuple[int, float]:
    first, end = (math.ceil((chunk + i) * BUCKETS / frozen["divisions"]) for i in (0, 1))
    session = client.create_read_session(
        parent="projects/bench",
        read_session=types.ReadSession(
            table=f"{scratch}/tables/score_batch_frozen_{frozen['runId']}",
            data_format=types.DataFormat.ARROW,
            read_options=types.ReadSession.TableReadOptions(
                selected_fields=plan["passed"] + features,
                row_restriction=f"score_batch_bucket >= {first} AND score_batch_bucket < {end}",
            ),
        ),
        max_stream_count=STREAMS,
    )
    with ThreadPoolExecutor(STREAMS) as pool:
        parts = list(pool.map(lambda stream: read(stream, session), session.streams))
    return sum(rows for rows, _ in parts), sum(total for _, total in parts)


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


start, before = time.perf_counter(), cpu()
with ThreadPoolExecutor(plan["workers"]) as workers:
    chunks = list(workers.map(read_chunk, [chunk["chunk"] for chunk in frozen["chunks"]]))
seconds = time.perf_counter() - start
total = {"rows": sum(rows for rows, _ in chunks), "sum": sum(part for _, part in chunks)}
print(json.dumps({**total, "seconds": seconds, "cpu": cpu() - before}))

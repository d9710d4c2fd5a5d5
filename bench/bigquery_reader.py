"""Reads the generated week as a plain script would: google-cloud-bigquery-storage, all streams at once, 20 features and a key.

Prints {"rows": …, "seconds": …} for the read alone, without the start of Python. For scripts/bench-bigquery.mjs.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.cloud.bigquery_storage_v1 import BigQueryReadClient, types
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

endpoint, project, dataset = sys.argv[1:]
options = [("grpc.max_receive_message_length", -1)]
channel = grpc.insecure_channel(endpoint, options=options)
client = BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))
columns = ["user_id"] + [f"f{k}" for k in range(20)]

start = time.perf_counter()
session = client.create_read_session(
    parent=f"projects/{project}",
    read_session=types.ReadSession(
        table=f"projects/{project}/datasets/{dataset}/tables/users",
        data_format=types.DataFormat.ARROW,
        read_options=types.ReadSession.TableReadOptions(selected_fields=columns),
    ),
    max_stream_count=2,
)


def read(stream: types.ReadStream) -> int:
    rows = client.read_rows(stream.name).rows(session)
    return sum(page.to_arrow().num_rows for page in rows.pages)


with ThreadPoolExecutor(2) as pool:
    rows = sum(pool.map(read, session.streams))
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - start}))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Searches a running sextantd from Python, one call at a time.

    bench/server_client.py TARGET QUERIES DIMENSION EF SECONDS

QUERIES is a file of float32 rows. Prints one JSON object: searches a second
and processor microseconds a search, for single searches and for batches.
`./dev bench server` runs it.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

PROTO = pathlib.Path(__file__).resolve().parent.parent / "proto"


def load_messages():
    """The generated module of the search service, made in a folder of its
    own that is gone once it is loaded."""
    protos = sorted(str(path) for path in (PROTO / "sextant").rglob("*.proto"))
    with tempfile.TemporaryDirectory(prefix="sextant-proto-") as folder:
        subprocess.run(
            ["protoc", f"-I{PROTO}", f"--python_out={folder}", *protos],
            check=True)
        sys.path.insert(0, folder)
        # pylint: disable=import-error,import-outside-toplevel # made just now
        from sextant.v1 import search_service_pb2
        sys.path.remove(folder)
    return search_service_pb2


def measure(call, requests, searches, seconds):
    """Calls in turn until the time is over."""
    call(requests[0])
    calls = 0
    start, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - start < seconds:
        call(requests[calls % len(requests)])
        calls += 1
    wall = time.monotonic() - start
    return {"qps": calls * searches / wall,
            "client_cpu_us":
                (time.process_time() - cpu) * 1e6 / (calls * searches)}


def main():
    # pylint: disable=import-outside-toplevel # says more than a traceback
    try:
        import grpc
    except ImportError as error:
        sys.exit(f"{error}; Debian: python3-grpcio, python3-protobuf")
    target, queries, dimension, recall_target, seconds = sys.argv[1:6]
    messages = load_messages()
    row_bytes = int(dimension) * 4
    data = pathlib.Path(queries).read_bytes()
    rows = [data[i:i + row_bytes] for i in range(0, len(data), row_bytes)]

    def search(row):
        request = messages.SearchRequest(
            collection="bench", limit=10,
            recall_target=float(recall_target))
        dense = request.sources.add().dense
        dense.vector.raw = row
        return request

    channel = grpc.insecure_channel(target)
    prefix = "/sextant.v1.SearchService/Search"
    unary = channel.unary_unary(
        prefix, messages.SearchRequest.SerializeToString,
        messages.SearchResponse.FromString)
    batch = channel.unary_unary(
        prefix + "Batch", messages.SearchBatchRequest.SerializeToString,
        messages.SearchBatchResponse.FromString)
    result = {"unary": measure(unary, [search(row) for row in rows], 1,
                               float(seconds))}
    for size in (16, 64):
        requests = [messages.SearchBatchRequest(
            collection="bench",
            searches=[search(row) for row in rows[first:first + size]])
            for first in range(0, len(rows) - size, size)]
        result[f"batch_{size}"] = measure(batch, requests, size,
                                          float(seconds))
    print(json.dumps(result))


if __name__ == "__main__":
    main()

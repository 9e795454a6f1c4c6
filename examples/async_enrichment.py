"""Asks a service about every flight, many questions at a time: an async function over rows, in order, with retries.

The service is a small HTTP server on this machine, which the example starts itself. Now and then it is overloaded, as
services are.

python examples/async_enrichment.py
"""

import atexit
import csv
import json
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import trio

from flow import Graph
from operators import Csv, JsonLines, col

DATA = Path(__file__).parent / "data"


class Airlines(BaseHTTPRequestHandler):
    """Answers GET /carrier with the airline's name; every tenth answer is that it is overloaded."""

    names = {row["carrier"]: row["name"] for row in csv.DictReader((DATA / "airlines.csv").read_text().splitlines())}
    requests = count(1)

    def do_GET(self) -> None:
        overloaded = next(self.requests) % 10 == 0
        self.send_response(503 if overloaded else 200)
        self.end_headers()
        self.wfile.write(json.dumps(self.names.get(self.path[1:])).encode())

    def log_message(self, *_: object) -> None:
        pass


@cache
def service() -> ThreadingHTTPServer:
    """The server, started when it is first asked for and stopped when the program ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Airlines)
    Thread(target=server.serve_forever, daemon=True).start()
    atexit.register(stop)
    return server


def stop() -> None:
    service().shutdown()
    service().server_close()


async def with_airline(row: dict[str, Any]) -> dict[str, Any]:
    """One question to the service. Raises where it is overloaded; then the question is asked again."""
    stream = await trio.open_tcp_stream("127.0.0.1", service().server_port)
    async with stream:
        await stream.send_all(f"GET /{row['carrier']} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join([chunk async for chunk in stream])
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.splitlines()[0]:
        raise OSError(f"the service answers {head.splitlines()[0].decode()}")
    return {**row, "airline": json.loads(body)}


COLUMNS = {"carrier": "string", "flight": "int64", "dest": "string", "dep_delay": "int64", "airline": "string"}

graph = Graph("async_enrichment")
(
    graph.source("flights", Csv(DATA / "flights_2013_01.csv.gz", nulls=("NA",)))
    .filter((col("day") == 1) & (col("dest") == "SFO"))
    .select("carrier", "flight", "dest", "dep_delay")
    .map_async(with_airline, COLUMNS, concurrency=16, timeout="5s", retries=5)
    .sink("out", JsonLines("out/async_enrichment", overwrite=True))
)

if __name__ == "__main__":
    graph.run()

"""A collector of spans, and gateways that send them to it."""

import http.server
import json
import queue
import threading

import gateways
from waiting import PATIENCE

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """Takes what is posted to it."""

    def __init__(self):
        self.requests = queue.Queue()
        self.answers = threading.Event()
        self.answers.set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self):
                try:
                    super().handle()
                except ConnectionError:
                    # The gateway has ended, and its connection with it.
                    pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                collector.requests.put((self.path, dict(self.headers), body))
                collector.answers.wait(PATIENCE)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self):
        """(path, fields, resource, spans) of the next batch."""
        path, fields, body = self.requests.get(timeout=PATIENCE)
        (resource,) = body["resourceSpans"]
        (scope,) = resource["scopeSpans"]
        return path, fields, attributes(resource["resource"]), scope["spans"]

    def trace_ids(self, count):
        """Those of the next batches, until there are so many."""
        found = set()
        while len(found) < count:
            found |= {span["traceId"] for span in self.spans()[3]}
        return found

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def attributes(of):
    return {pair["key"]: next(iter(pair["value"].values())) for pair in of.get("attributes", [])}


def running(setup, collector, **more):
    return gateways.running(setup, environment={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **more})

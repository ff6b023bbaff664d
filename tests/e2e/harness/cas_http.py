"""A small HTTP server for stand-ins: one function answers every request, and what was asked is remembered."""

import dataclasses
import http.server
import re
import socket
import threading
import urllib.parse

from harness.crowd_server import CrowdServer

_RUN = 64 * 1024


@dataclasses.dataclass
class Request:
    method: str
    path: str
    query: str
    fields: object
    body: bytes
    status: int = 0  # of the answer
    sent: int = 0  # bytes of its body that left

    def header(self, name):
        return self.fields.get(name)


@dataclasses.dataclass
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    fields: dict = dataclasses.field(default_factory=dict)


class Server:
    def __init__(self, answer, tls=None, name="127.0.0.1", address="127.0.0.1"):
        self.answer = answer
        self.requests = []
        self._http = CrowdServer((address, 0), _handler(self))
        self._http.daemon_threads = True
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_port
        self.host = f"{name}:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._http.shutdown()
        self._http.server_close()


def parse_range(field):
    """(first, last) of `bytes=a-b`; None for anything else."""
    match = re.fullmatch(r"bytes=(\d+)-(\d+)", field or "")
    return (int(match[1]), int(match[2])) if match else None


def _handler(server):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def setup(self):
            # Small, so that `sent` means bytes that left, not bytes that wait in a kernel buffer.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _RUN)
            super().setup()

        def _serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urllib.parse.urlsplit(self.path)
            request = Request(self.command, parts.path, parts.query, self.headers, body)
            answer = server.answer(request)
            request.status = answer.status
            server.requests.append(request)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.fields.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            try:
                for at in range(0, len(answer.body), _RUN):
                    run = answer.body[at : at + _RUN]
                    request.sent += len(run)  # before the client can have it
                    self.wfile.write(run)
            except OSError:  # the client has heard enough
                request.sent -= len(run)
                self.close_connection = True

        do_GET = do_HEAD = do_POST = do_PUT = _serve

    return Handler

"""A request as the origin received it."""

import time
import urllib.parse


class BadRequest(Exception):
    pass


class Request:
    def __init__(self, line, fields):
        self.line = line
        self.method, self.target, self.version = line.split(" ")
        self.fields = fields  # (name, value) in order, as received
        parts = urllib.parse.urlsplit(self.target)
        self.path, self.query = parts.path, parts.query
        self.at = time.monotonic()
        self.body = b""  # up to 1 MiB of it
        self.body_bytes = 0
        self.body_sha256 = None

    def header(self, name):
        """The first value, or None."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def headers(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def __repr__(self):
        return f"{self.line} {self.fields}"


def read_head(stream):
    """None when the client closed between requests."""
    line = stream.readline(65536)
    if not line:
        return None
    fields = []
    while True:
        field = stream.readline(65536)
        if field in (b"\r\n", b"\n"):
            break
        if not field:
            raise BadRequest("a head that ends in the middle")
        name, _, value = field.decode("latin-1").partition(":")
        fields.append((name, value.strip()))
    return Request(line.decode("latin-1").strip(), fields)


def receive_body(request, stream, connection, sink):
    """Reads the body piece by piece into `sink`; the number of bytes."""
    if (request.header("Expect") or "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if (request.header("Transfer-Encoding") or "").lower() == "chunked":
        return _receive_chunks(stream, sink)
    return _receive_exactly(stream, int(request.header("Content-Length") or 0), sink)


def _receive_exactly(stream, length, sink):
    remaining = length
    while remaining:
        data = stream.read1(min(remaining, 1 << 20))
        if not data:
            raise BadRequest("a body that ends in the middle")
        sink(data)
        remaining -= len(data)
    return length


def _receive_chunks(stream, sink):
    total = 0
    while True:
        size = int(stream.readline(1024).split(b";")[0], 16)
        if size == 0:
            while stream.readline(65536) not in (b"\r\n", b"\n", b""):
                pass
            return total
        total += _receive_exactly(stream, size, sink)
        stream.readline(16)

"""A client made of one socket: it can say things that no library would, and it sees every byte of the answer."""

import hashlib
import select
import socket
import struct
import time

from harness.secrets import assert_none_in
from harness.waiting import patience


class Response:
    def __init__(self, status, reason, version, fields):
        self.status, self.reason, self.version = status, reason, version
        self.fields = fields
        self.body = b""  # empty when not collected
        self.length = 0  # body bytes received
        self.sha256 = None
        self.complete = False  # framing says that the body is whole
        self.interim = []  # status codes of 1xx answers that came before

    def header(self, name):
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def headers(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def cache_status(self):
        return parse_cache_status(self.header("Cache-Status") or "")

    def __repr__(self):
        return f"{self.status} {self.fields} {self.length} bytes {self.body[:200]!r}"


def parse_cache_status(field):
    """hawker's member of Cache-Status (RFC 9211) as a dictionary; {} when it has none."""
    for member in field.split(","):
        name, *parameters = [part.strip() for part in member.split(";")]
        if name == "hawker":
            pairs = (parameter.partition("=") for parameter in parameters)
            return {key: value.strip('"') if sign else True for key, sign, value in pairs}
    return {}


class Connection:
    def __init__(self, address, timeout=60, receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(patience(timeout))
        self.socket.connect(address)
        self._buffer = bytearray()
        self._scratch = bytearray(1 << 18)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def abort(self):
        """Leaves with a reset, as a killed process does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def start_tls(self, context, name=None, session=None):
        """What follows is inside TLS; `name` is the SNI and what the certificate must be for."""
        self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)
        return self

    def connect_to(self, authority):
        """CONNECT; the answer."""
        self.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
        return self.response("CONNECT")

    # Saying -------------------------------------------------------------------------------------------------------------

    def send(self, data):
        self.socket.sendall(data if isinstance(data, (bytes, bytearray, memoryview)) else data.encode("latin-1"))

    def request(self, method, url, headers=None, body=None):
        """An ordinary request; `Host` and `Content-Length` are added where they are missing."""
        fields = dict(headers or {})
        names = {name.lower() for name in fields}
        if "host" not in names:
            fields = {"Host": url.split("/")[2] if "://" in url else "127.0.0.1", **fields}
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            fields["Content-Length"] = len(body)
        lines = [f"{method} {url} HTTP/1.1"]
        for name, value in fields.items():
            lines += [f"{name}: {one}" for one in (value if isinstance(value, list) else [value])]
        self.send("\r\n".join(lines) + "\r\n\r\n")
        if body:
            self.send(body)

    # Hearing ------------------------------------------------------------------------------------------------------------

    def _more(self, most=1 << 16):
        data = self.socket.recv(most)
        self._buffer += data
        return len(data)

    def line(self):
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not self._more():
                raise ConnectionError(f"closed in the middle of a line: {bytes(self._buffer)!r}")
        text = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 2]
        return text

    def response_head(self):
        version, status, *reason = self.line().split(" ", 2)
        fields = []
        while line := self.line():
            name, _, value = line.partition(":")
            fields.append((name, value.strip()))
        return Response(int(status), reason[0] if reason else "", version, fields)

    def response(self, method="GET", collect=True, most=None, on_progress=None):
        """The next final response with its body; `most` leaves after that many body bytes. A body that is cut short is no
        error here: see `complete`; nor is a connection that ends without a word: the status is 0."""
        interim = []
        try:
            while (head := self.response_head()).status < 200:
                interim.append(head.status)
        except ConnectionError:
            return Response(0, "the connection was closed without an answer", "", [])
        head.interim = interim
        sink = _Sink(head, collect, most, on_progress)
        try:
            head.complete = self._body(method, head, sink)
        except (ConnectionError, _Enough):
            pass
        head.sha256 = sink.digest.hexdigest()
        head.body = b"".join(sink.parts)
        _assert_no_secret_in_what_hawker_says(head)
        return head

    def _body(self, method, head, sink):
        if method == "HEAD" or head.status in (204, 304) or (method == "CONNECT" and head.status == 200):
            return True
        if (head.header("Transfer-Encoding") or "").lower() == "chunked":
            while size := int(self.line().split(";")[0], 16):
                self._exactly(size, sink)
                self.line()
            while self.line():
                pass
            return True
        if head.header("Content-Length") is not None:
            self._exactly(int(head.header("Content-Length")), sink)
            return True
        while self._chunk(1 << 30, sink):
            pass
        return True

    def _exactly(self, size, sink):
        while size:
            received = self._chunk(size, sink)
            if not received:
                raise ConnectionError("closed in the middle of a body")
            size -= received

    def _chunk(self, most, sink):
        if self._buffer:
            data = bytes(self._buffer[:most])
            del self._buffer[:most]
            sink.take(data)
            return len(data)
        view = memoryview(self._scratch)[: min(most, len(self._scratch))]
        received = self.socket.recv_into(view)
        sink.take(view[:received])
        return received

    def read_some(self, count):
        """Exactly `count` raw bytes, or fewer when the other side ended."""
        while len(self._buffer) < count and self._more():
            pass
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def read_to_end(self):
        """Everything until the other side closes or resets."""
        try:
            while self._more():
                pass
        except ConnectionError:
            pass
        data, self._buffer = bytes(self._buffer), bytearray()
        return data

    def sha256_to_end(self):
        """The digest of everything until the other side closes."""
        digest = hashlib.sha256(self._buffer)
        self._buffer = bytearray()
        while count := self.socket.recv_into(self._scratch):
            digest.update(memoryview(self._scratch)[:count])
        return digest.hexdigest()

    def is_closed(self, within=10.0):
        """True once the other side has ended the connection; bytes that still come are thrown away."""
        deadline = time.monotonic() + patience(within)
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.socket], [], [], left)[0]:
                try:
                    if not self.socket.recv(1 << 16):
                        return True
                except ConnectionError:
                    return True
        return False

    def has_input(self):
        return bool(self._buffer) or bool(select.select([self.socket], [], [], 0)[0])


class _Enough(Exception):
    pass


def _assert_no_secret_in_what_hawker_says(head):
    """Proxy-Status never comes through from an origin: where it stands, hawker speaks, and a bad status is its own page."""
    for name in ("Proxy-Status", "Cache-Status"):
        assert_none_in(head.header(name) or "", name)
    if head.header("Proxy-Status") and head.status >= 400:
        assert_none_in(head.body.decode("latin-1"), "an error page")


class _Sink:
    def __init__(self, response, collect, most, on_progress):
        self.response, self.collect, self.most, self.on_progress = response, collect, most, on_progress
        self.digest, self.parts = hashlib.sha256(), []

    def take(self, data):
        self.digest.update(data)
        self.response.length += len(data)
        if self.collect:
            self.parts.append(bytes(data))
        if self.on_progress:
            self.on_progress(self.response.length)
        if self.most is not None and self.response.length >= self.most:
            raise _Enough()

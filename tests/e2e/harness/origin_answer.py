"""What the origin says to one request, and how it may go wrong.

A resource builds an honest `Answer`; faults bend it; `send` puts it on the wire. A fault is a function of the answer, so a test
combines them at will: `resource.fault(truncated(after=1 * MIB), times=2)`.
"""

import gzip
import socket
import struct
import time

from harness.content import Content, Text

STEP = 256 * 1024


class Answer:
    def __init__(self, request, status, headers, content=None, start=0, stop=0):
        self.request = request
        self.status = status
        self.headers = dict(headers)
        self.content = content or Text(b"")
        self.start, self.stop = start, stop  # which bytes of the content are the body
        self.framing = "length"  # or "chunked", "close"
        self.announced = None  # a Content-Length that lies
        self.cut_after = None  # body bytes after which `cut` happens
        self.cut = None  # "close", "reset" or an Event to wait for before going on
        self.before_head = None  # an Event to wait for
        self.rate = None  # bytes per second
        self.silent = False  # close without a single byte

    @property
    def length(self):
        return self.stop - self.start

    def become(self, status, headers, data=b""):
        self.status, self.headers = status, dict(headers)
        self.content, self.start, self.stop = Text(data), 0, len(data)

    def head(self):
        headers = dict(self.headers)
        if self.framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        elif self.framing == "close":
            headers["Connection"] = "close"
        elif self.status not in (204, 304):
            headers.setdefault("Content-Length", str(self.length if self.announced is None else self.announced))
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Because')}"]
        for name, value in headers.items():
            lines += [f"{name}: {one}" for one in (value if isinstance(value, list) else [value])]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def send(answer, connection, count, stopping):
    """Puts the answer on the wire; True when the connection can carry another request."""
    if answer.silent:
        return False
    if answer.before_head is not None and not _wait(answer.before_head, stopping):
        return False
    connection.sendall(answer.head())
    if answer.request.method == "HEAD" or answer.status in (204, 304):
        return True
    sent = 0
    started = time.monotonic()
    step = STEP if answer.rate is None else max(1024, min(STEP, answer.rate // 20))
    for run in answer.content.runs(answer.start, answer.stop, step):
        while len(run):
            if answer.cut is not None and sent == answer.cut_after and not _cut(answer, connection, stopping):
                return False
            piece = run if answer.cut is None else run[: answer.cut_after - sent]
            # Before the client can have it: whoever has heard all of an answer may count it.
            count(len(piece))
            try:
                _send_piece(answer, connection, piece)
            except OSError:
                count(-len(piece))
                raise
            sent += len(piece)
            run = run[len(piece) :]
            if answer.rate is not None:
                stopping.wait(max(0.0, started + sent / answer.rate - time.monotonic()))
    if answer.framing == "chunked":
        connection.sendall(b"0\r\n\r\n")
    return answer.framing != "close"


def _send_piece(answer, connection, piece):
    if answer.framing == "chunked":
        connection.sendall(b"%x\r\n" % len(piece))
        connection.sendall(piece)
        connection.sendall(b"\r\n")
    else:
        connection.sendall(piece)


def _cut(answer, connection, stopping):
    """True when the body goes on afterwards."""
    if answer.cut == "close":
        return False
    if answer.cut == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    event, answer.cut = answer.cut, None
    return _wait(event, stopping)


def _wait(event, stopping):
    while not event.wait(0.02):
        if stopping.is_set():
            return False
    return True


# Faults -------------------------------------------------------------------------------------------------------------------


def truncated(after):
    """The announced length, then fewer bytes and a clean end."""
    return _cutting("close", after)


def reset(after):
    return _cutting("reset", after)


def stalled(after, until):
    """Not a byte more after `after` of them, until the event is set."""
    return _cutting(until, after)


def _cutting(kind, after):
    def bend(answer):
        if answer.length > after:
            answer.cut, answer.cut_after = kind, after

    return bend


def late_head(until):
    def bend(answer):
        answer.before_head = until

    return bend


def no_answer():
    def bend(answer):
        answer.silent = True

    return bend


def status(code, data=b"the origin's own words", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: answer.become(code, {"Content-Type": "text/plain", **named}, data)


def redirect(location, code=302):
    return lambda answer: answer.become(code, {"Location": location}, b"")


def chunked():
    """The whole, with no length and no ranges."""

    def bend(answer):
        _whole(answer)
        answer.framing = "chunked"

    return bend


def until_close():
    def bend(answer):
        _whole(answer)
        answer.framing = "close"

    return bend


def ignores_ranges():
    """200 and the whole, whatever was asked."""
    return _whole


def _whole(answer):
    if answer.status == 206:
        answer.status = 200
        answer.headers.pop("Content-Range", None)
        answer.start, answer.stop = 0, answer.content.size
    answer.headers.pop("Accept-Ranges", None)


def ok_with_content_range():
    """200 where 206 was meant: the body is the range."""

    def bend(answer):
        if answer.status == 206:
            answer.status = 200

    return bend


def wrong_content_range(shift=1):
    """Says, and sends, a range that nobody asked for."""

    def bend(answer):
        if answer.status == 206:
            size = answer.content.size
            answer.start, answer.stop = max(0, answer.start + shift), min(size, answer.stop + shift)
            answer.headers["Content-Range"] = f"bytes {answer.start}-{answer.stop - 1}/{size}"

    return bend


def empty_partial():
    """206 that promises a range and carries nothing."""

    def bend(answer):
        answer.status = 206
        answer.headers.setdefault("Content-Range", f"bytes 0-{answer.content.size - 1}/{answer.content.size}")
        answer.stop = answer.start

    return bend


def wrong_bytes(seed=99):
    """The right size and validators, other content."""

    def bend(answer):
        answer.content = Content(answer.content.size, seed)

    return bend


def gzipped():
    """Encoded although nobody asked for it."""

    def bend(answer):
        data = gzip.compress(answer.content.bytes(answer.start, answer.stop), 1)
        answer.become(200, {**answer.headers, "Content-Encoding": "gzip"}, data)
        answer.headers.pop("Content-Range", None)

    return bend


def html_page():
    page = b"<!DOCTYPE html><title>Log in</title><p>Please log in to this hotel's network.</p>"
    return lambda answer: answer.become(200, {"Content-Type": "text/html; charset=utf-8"}, page)


def json_error():
    return lambda answer: answer.become(200, {"Content-Type": "application/json"}, b'{"Code":10010205001,"Success":false}')


def with_headers(**headers):
    """More header fields; a list makes repeated ones."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: answer.headers.update(named)


def paced(rate):
    """At most `rate` bytes a second on one connection."""

    def bend(answer):
        answer.rate = rate

    return bend


REASONS = {
    200: "OK", 206: "Partial Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified", 307: "Temporary Redirect",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    412: "Precondition Failed", 416: "Range Not Satisfiable", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable",
}

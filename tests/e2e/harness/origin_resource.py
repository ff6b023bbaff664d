"""One path of the origin: its content, its validators, who may read it, and what goes wrong."""

import email.utils
import threading

from harness.content import Text
from harness.origin_answer import Answer

EPOCH = 1_700_000_000  # a Last-Modified long ago


def aged(seconds, control):
    """Header fields of an answer that is so old when it arrives."""
    return {"Cache-Control": control, "Age": str(seconds)}


class Resource:
    """Traits:
    signed         only a good signature of the origin's signer may read
    authorization  only requests with exactly this Authorization may read
    etag           a quoted tag, or None for no ETag
    last_modified  Unix seconds, or None
    content_type   as sent
    headers        more header fields of a good answer
    get_only       HEAD is refused with 403, as S3 does for a URL that was signed for GET
    """

    def __init__(self, path, content, *, signer=None, signed=False, authorization=None, etag="", last_modified=EPOCH,
                 content_type="application/octet-stream", headers=None, get_only=False):
        self.path = path
        self.content = content
        self.etag = f'"{content.seed}-{content.size:x}"' if etag == "" else etag
        self.last_modified = last_modified
        self.content_type = content_type
        self.headers = headers or {}
        self.signer = signer if signed else None
        self.authorization = authorization
        self.get_only = get_only
        self.handler = None
        self.requests = []
        self.bytes_sent = 0  # of bodies
        self.refusals = 0
        self.active = 0  # answers being sent now
        self.received = b""  # the last body that was PUT or POSTed, up to 1 MiB of it
        self._faults = []
        self._lock = threading.Lock()

    def fault(self, bend, times=None, when=None):
        """Bends the next `times` good answers (all when None) to requests for which `when(request)` is true. Faults apply in
        the order they were given; each counts its own uses."""
        with self._lock:
            self._faults.append([bend, times, when])
        return self

    def heal(self):
        with self._lock:
            self._faults.clear()

    def replace(self, content, etag=""):
        """Another representation under the same URL."""
        self.content, self.etag = content, f'"{content.seed}-{content.size:x}"' if etag == "" else etag
        self.last_modified = None if self.last_modified is None else self.last_modified + 86_400

    @property
    def gets(self):
        return [request for request in self.requests if request.method == "GET"]

    # For the server -----------------------------------------------------------------------------------------------------

    def note(self, request):
        with self._lock:
            self.requests.append(request)

    def count(self, amount):
        with self._lock:
            self.bytes_sent += amount

    def active_change(self, by):
        with self._lock:
            self.active += by

    def keep_body(self, digest, request):
        self.received = b""

        def sink(data):
            digest.update(data)
            if len(request.body) < 1 << 20:
                request.body += data
                self.received = request.body

        return sink

    def answer(self, request):
        refusal = self._refusal(request)
        if refusal:
            self.refusals += 1
            return _plain(request, 403, f"<Error><Code>{refusal}</Code></Error>", {"Content-Type": "application/xml"})
        if request.method not in ("GET", "HEAD"):
            good = _plain(request, 200, f"received {request.body_bytes} bytes", {"Content-Type": "text/plain"})
        else:
            good = self._representation(request)
        if self.handler:
            self.handler(request, good)
        for bend in self._due(request):
            bend(good)
        return good

    def _due(self, request):
        due = []
        with self._lock:
            for fault in self._faults:
                bend, times, when = fault
                if (times is None or times > 0) and (when is None or when(request)):
                    fault[1] = None if times is None else times - 1
                    due.append(bend)
        return due

    def _refusal(self, request):
        if self.signer:
            return self.signer.objection(self.path, request.query)
        if self.authorization is not None and request.header("Authorization") != self.authorization:
            return "AccessDenied"
        if self.get_only and request.method == "HEAD":
            return "SignatureDoesNotMatch"
        return None

    def _representation(self, request):
        headers = {"Content-Type": self.content_type, "Accept-Ranges": "bytes", "Date": email.utils.formatdate(usegmt=True)}
        if self.etag is not None:
            headers["ETag"] = self.etag
        if self.last_modified is not None:
            headers["Last-Modified"] = email.utils.formatdate(self.last_modified, usegmt=True)
        headers.update(self.headers)
        size = self.content.size
        if request.header("If-Match") not in (None, "*", self.etag):
            return Answer(request, 412, headers)
        tags = [tag.strip().removeprefix("W/") for tag in (request.header("If-None-Match") or "").split(",")]
        if self.etag is not None and self.etag.removeprefix("W/") in tags:
            return Answer(request, 304, headers)
        if request.header("If-None-Match") is None and self._not_modified_since(request):
            return Answer(request, 304, headers)
        span = _span(request, size) if self._range_applies(request, headers) else None
        if span is None:
            return Answer(request, 200, headers, self.content, 0, size)
        if span == "unsatisfiable":
            return _plain(request, 416, "", {**headers, "Content-Range": f"bytes */{size}"})
        start, stop = span
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return Answer(request, 206, headers, self.content, start, stop)

    def _not_modified_since(self, request):
        since = request.header("If-Modified-Since")
        parsed = email.utils.parsedate_to_datetime(since) if since else None
        return bool(parsed and self.last_modified is not None and self.last_modified <= parsed.timestamp())

    def _range_applies(self, request, headers):
        condition = request.header("If-Range")
        return condition is None or condition in (headers.get("ETag"), headers.get("Last-Modified"))


def _span(request, size):
    """(start, stop), "unsatisfiable", or None for the whole: several ranges are answered whole, which RFC 9110 permits."""
    field = request.header("Range") or ""
    if request.method != "GET" or not field.startswith("bytes=") or "," in field:
        return None
    first, _, last = field.removeprefix("bytes=").partition("-")
    if first == "":
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), size if last == "" else min(size, int(last) + 1)
    return (start, stop) if start < stop else "unsatisfiable"


def _plain(request, code, text, headers):
    data = text.encode()
    return Answer(request, code, headers, Text(data), 0, len(data))

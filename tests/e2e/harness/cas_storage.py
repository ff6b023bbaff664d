"""The storage side of the stand-in CAS: bytes of xorbs, for exactly the ranges that a URL was signed for."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse

from harness.cas_http import Answer, Server, parse_range
from harness.secrets import CANARY
from harness.signing import secret

PATH = "/xorbs/default/"


class Storage(Server):
    """`names_ranges`: every URL says in X-Xet-Signed-Range what it is good for. Otherwise only those with several ranges do, as
    the real service's URLs of 2026."""

    def __init__(self, xorbs, tls, name, address):
        super().__init__(self._give, tls, name, address)
        self.names_ranges = True
        self._xorbs = xorbs
        self._key = b"a key that only the storage knows"
        self._signed = {}  # signature -> the ranges it is good for
        self._revoked = set()

    @property
    def bytes_sent(self):
        return sum(request.sent for request in self.requests)

    @property
    def whole_answers(self):
        """(xorb, Range) of every answer that went out to its end."""
        return [(request.path.removeprefix(PATH), request.header("Range")) for request in self.requests
                if request.status == 206 and request.sent == _length(request.header("Range"))]

    @property
    def refusals(self):
        return [request for request in self.requests if request.status == 403]

    def sign(self, xorb, spans, repo, session="", ttl=3600):
        """A new URL for these ranges of a xorb, as CloudFront signs."""
        end = int(time.time()) + ttl
        fields = {"user_id": secret("user"), "repo_id": hashlib.sha256(repo.encode()).hexdigest()[:24],
                  "X-Xet-Session-Id": session}
        ranges = "bytes=" + ",".join(f"{first}-{last}" for first, last in spans)
        if self.names_ranges or len(spans) > 1:
            fields["X-Xet-Signed-Range"] = ranges
        url = f"{self.url}{PATH}{xorb}?{urllib.parse.urlencode(fields)}"
        policy = {"Statement": [{"Resource": url, "Condition": {"DateLessThan": {"AWS:EpochTime": end}}}]}
        encoded = base64.b64encode(json.dumps(policy).encode()).decode().translate(str.maketrans("+=/", "-_~"))
        signature = self._signature(f"{PATH}{xorb}?{urllib.parse.urlencode(fields)}", encoded, ranges)
        self._signed[signature] = (ranges, end)
        more = {"Expires": end, "Policy": encoded, "Signature": signature, "Key-Pair-Id": "K2L8F4GPSG1IFC"}
        return f"{url}&{urllib.parse.urlencode(more)}"

    def revoke(self):
        """From now on every URL that was handed out so far is refused, as if it had expired."""
        self._revoked.update(self._signed)

    def _signature(self, target, policy, ranges):
        return CANARY + hmac.new(self._key, f"{target}\n{policy}\n{ranges}".encode(), hashlib.sha256).hexdigest()

    def _give(self, request):
        xorb = self._xorbs.get(request.path.removeprefix(PATH))
        objection = self._objection(request)
        if objection:
            return Answer(403, f"<Error><Code>{objection}</Code></Error>".encode(), "application/xml")
        if xorb is None:
            return Answer(404, b"", "application/xml")
        first, last = parse_range(request.header("Range"))
        fields = {"Content-Range": f"bytes {first}-{last}/{len(xorb.data)}", "Accept-Ranges": "bytes", "ETag": xorb.etag,
                  "Cache-Control": "public, max-age=31536000, immutable"}
        return Answer(206, xorb.data[first : last + 1], "application/octet-stream", fields)

    def _objection(self, request):
        target, separator, rest = request.query.partition("&Expires=")
        given = dict(urllib.parse.parse_qsl(separator.removeprefix("&") + rest))
        ranges, end = self._signed.get(given.get("Signature"), ("", 0))
        expected = self._signature(f"{request.path}?{target}", given.get("Policy", ""), ranges)
        if not ranges or given.get("Signature") != expected:
            return "AccessDenied"
        if end < time.time() or given["Signature"] in self._revoked:
            return "RequestExpired"
        wanted = (request.header("Range") or "").removeprefix("bytes=")
        if wanted not in ranges.removeprefix("bytes=").split(","):
            return "InvalidRange"
        return None


def _length(field):
    span = parse_range(field)
    return span[1] - span[0] + 1 if span else 0

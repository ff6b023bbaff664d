"""Signed URLs as a CDN makes them: they expire, cover the path, and no two are alike. The origin checks every one.

Every secret in this suite contains CANARY, so that one search finds any that leaked.
"""

import hashlib
import hmac
import itertools
import time
import urllib.parse

from harness.secrets import CANARY

PARAMETERS = ["Expires", "Key-Pair-Id", "Signature"]

_serial = itertools.count(1)


def secret(kind):
    """A fresh token that must never be seen in a log line, an admin answer or an error page."""
    return f"{CANARY}-{kind}-{next(_serial)}"


class Signer:
    def __init__(self, key="a key that only the origin knows"):
        self._key = key.encode()
        self._revoked = set()

    def _signature(self, path, expires, key_id):
        text = f"{path}\n{expires}\n{key_id}".encode()
        return CANARY + hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def query(self, path, ttl=3600):
        """A new signature for `path`; a negative `ttl` makes one that has expired."""
        expires = int(time.time()) + ttl
        key_id = secret("key")
        signature = self._signature(path, expires, key_id)
        return urllib.parse.urlencode({"Expires": expires, "Signature": signature, "Key-Pair-Id": key_id})

    def foreign_query(self, path):
        """Well formed and not expired, but made with another key."""
        return Signer("somebody else's key").query(path)

    def revoke(self, query):
        """From now on the origin refuses this signature, as if it had expired this instant."""
        self._revoked.add(_one(urllib.parse.parse_qs(query), "Key-Pair-Id"))

    def objection(self, path, query):
        """Why the origin refuses, or None when the signature is good."""
        fields = urllib.parse.parse_qs(query)
        expires, signature, key_id = (_one(fields, name) for name in ("Expires", "Signature", "Key-Pair-Id"))
        if not (expires and signature and key_id):
            return "MissingKey"
        if not hmac.compare_digest(signature, self._signature(path, expires, key_id)):
            return "SignatureDoesNotMatch"
        if key_id in self._revoked or int(expires) < time.time():
            return "RequestExpired"
        return None


class FieldSigner:
    """A signature over request fields, as X-Amz-SignedHeaders makes them: in the query, or in Authorization. The origin's
    own reading of the request decides, so a field that was changed on the way is a refusal."""

    SCHEME = "AWS4-HMAC-SHA256"

    def __init__(self, key="another key that only the origin knows"):
        self._key = key.encode()

    def _signature(self, path, names, value_of):
        lines = [f"{name}:{(value_of(name) or '').strip()}" for name in names]
        return CANARY + hmac.new(self._key, "\n".join([path, *lines]).encode(), hashlib.sha256).hexdigest()

    def query(self, path, headers):
        names = sorted(name.lower() for name in headers)
        values = {name.lower(): value for name, value in headers.items()}
        return urllib.parse.urlencode({"X-Amz-SignedHeaders": ";".join(names),
                                       "X-Amz-Signature": self._signature(path, names, values.get)})

    def authorization(self, path, headers):
        names = sorted(name.lower() for name in headers)
        values = {name.lower(): value for name, value in headers.items()}
        return (f"{self.SCHEME} Credential={secret('id')}/s3, SignedHeaders={';'.join(names)}, "
                f"Signature={self._signature(path, names, values.get)}")

    def check(self, request, answer):
        """A handler of the harness's origin: 403 unless the request arrived as it was signed."""
        text = request.header("Authorization") or ""
        fields = dict(part.strip().split("=", 1) for part in text.removeprefix(self.SCHEME).split(",") if "=" in part)
        if not fields:
            fields = {name.removeprefix("X-Amz-"): value for name, value in urllib.parse.parse_qsl(request.query)}
        names = fields.get("SignedHeaders", "").split(";")
        expected = self._signature(request.path, names, request.header)
        if not hmac.compare_digest(fields.get("Signature", ""), expected):
            answer.become(403, {"Content-Type": "application/xml"}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")


def _one(fields, name):
    values = fields.get(name, [])
    return values[0] if len(values) == 1 else None

"""A stand-in for Xet's content-addressed storage, which gets its data the honest way: the real hf_xet uploads it.

Two hosts, as the real service has: the API (tokens, reconstructions, uploads) and the storage, which gives bytes only to signed
URLs that have not expired, and of those only exactly the ranges that were signed.

    cas = Cas()
    answer = cas.token("team/models", "write")      # what the Hub answers to .../xet-write-token/main
    ... upload with hf_xet ...
    assert cas.storage.bytes_sent == 0
"""

import collections
import json
import re
import time

from harness import xet_formats
from harness.cas_http import Answer, Server, parse_range
from harness.cas_storage import Storage
from harness.signing import secret

Token = collections.namedtuple("Token", "repo scope end")

_RECONSTRUCTION = re.compile(r"/v([12])/reconstructions/([0-9a-f]{64})")
_XORB = re.compile(r"/v1/xorbs/default/([0-9a-f]{64})")
_CHUNK = re.compile(r"/v1/chunks/[a-z-]+/([0-9a-f]{64})")


class Cas:
    """`versions` of the reconstruction API that it has; `ttl` of the URLs that it signs; `token_ttl` of tokens."""

    def __init__(self, tls=None, name="127.0.0.1", address="127.0.0.1", storage_name=None):
        self.versions = {1, 2}
        self.ttl = 3600
        self.token_ttl = 900
        self.files = {}  # by file hash
        self.xorbs = {}  # by xorb hash
        self.repos = collections.defaultdict(set)  # repository -> file hashes
        self.deduplicated = 0  # chunk queries that were answered with a shard
        self._tokens = {}
        self._chunks = {}  # chunk hash -> xorb hash
        self._entries = {}  # xorb hash -> its raw entries
        self._header = b""
        self.storage = Storage(self.xorbs, tls, storage_name or name, address)
        self.api = Server(self._answer, tls, name, address)

    @property
    def url(self):
        return self.api.url

    @property
    def requests(self):
        return self.api.requests

    def asked(self, path_part):
        return [request for request in self.requests if path_part in request.path]

    def close(self):
        self.api.close()
        self.storage.close()

    # The token routes of the Hub, to be mounted there -----------------------------------------------------------------------

    def token(self, repo, scope="read"):
        """The JSON of /api/{type}/{repo}/xet-{scope}-token/{revision}."""
        text = secret("xet")
        end = int(time.time()) + self.token_ttl
        self._tokens[text] = Token(repo, scope, end)
        return {"accessToken": text, "exp": end, "casUrl": self.url}

    @staticmethod
    def token_fields(answer):
        """The same in header fields, which huggingface_hub reads."""
        return {"X-Xet-Access-Token": answer["accessToken"], "X-Xet-Token-Expiration": str(answer["exp"]),
                "X-Xet-Cas-Url": answer["casUrl"]}

    def revoke_tokens(self):
        self._tokens.clear()

    # The API ----------------------------------------------------------------------------------------------------------------

    def _answer(self, request):
        if request.path == "/v1/telemetry":
            return Answer(200, b"{}")
        token = self._tokens.get((request.header("Authorization") or "").removeprefix("Bearer "))
        if token is None or token.end < time.time():
            return Answer(401, b'{"error":"no such token"}')
        if request.method == "POST" and token.scope != "write":
            return Answer(403, b'{"error":"a read token"}')
        if match := _RECONSTRUCTION.fullmatch(request.path):
            return self._reconstruct(request, int(match[1]), match[2], token)
        if match := _CHUNK.fullmatch(request.path):
            return self._find_chunk(match[1])
        if match := _XORB.fullmatch(request.path):
            return self._keep_xorb(match[1], request.body)
        if request.path in ("/v1/shards", "/v2/shards") and request.method == "POST":
            return self._keep_shard(request, token)
        return Answer(404, b'{"error":"no such route"}')  # upload grants among them: clients then post their xorbs here

    def _keep_xorb(self, name, data):
        is_new = name not in self.xorbs
        if is_new:
            self.xorbs[name] = xet_formats.Xorb(data)
        return Answer(200, json.dumps({"was_inserted": is_new}).encode())

    def _keep_shard(self, request, token):
        shard = xet_formats.Shard(request.body)
        for name, entries in shard.xorbs.items():
            if name not in self.xorbs:
                return Answer(400, b'{"error":"a xorb that was not uploaded"}')
            self._entries[name] = entries
            self._chunks.update(dict.fromkeys(xet_formats.chunk_hashes(entries), name))
        for file in shard.files:
            for term in file.terms:
                if term.xorb not in self.xorbs or self.xorbs[term.xorb].unpacked(term.chunks) != term.unpacked:
                    return Answer(400, b'{"error":"a term that its xorb does not hold"}')
            self.files[file.hash] = file
            self.repos[token.repo].add(file.hash)
        self._header = shard.header
        body = b'{"type":"result"}\n' if request.path.startswith("/v2") else b'{"result":1}'
        return Answer(200, body)

    def _find_chunk(self, chunk):
        name = self._chunks.get(chunk)
        if name is None:
            return Answer(404, b"")
        self.deduplicated += 1
        return Answer(200, xet_formats.dedup_shard(self._header, self._entries[name]), "application/octet-stream")

    def _reconstruct(self, request, version, name, token):
        if version not in self.versions:
            return Answer(404, b'{"error":"no such route"}')
        if name not in self.repos[token.repo]:
            return Answer(404, b'{"error":"no such file"}')
        file = self.files[name]
        first, last = parse_range(request.header("Range")) or (0, file.size - 1)
        if file.size and first >= file.size:
            return Answer(416, b"")
        offset, terms = self._cut(file, first, min(last, file.size - 1))
        answer = {"offset_into_first_range": offset,
                  "terms": [{"hash": term.xorb, "unpacked_length": term.unpacked, "range": _range(*term.chunks)}
                            for term in terms]}
        answer["fetch_info" if version == 1 else "xorbs"] = self._fetches(version, terms, token.repo, request)
        return Answer(200, json.dumps(answer).encode())

    def _cut(self, file, first, last):
        """The terms that hold [first, last] of the file, cut to whole chunks, and how far into them `first` is."""
        position, offset, terms = 0, 0, []
        for term in file.terms:
            kept = []
            for chunk in range(*term.chunks):
                length = self.xorbs[term.xorb].lengths[chunk]
                if position + length > first and position <= last:
                    if not terms and not kept:
                        offset = first - position
                    kept.append(chunk)
                position += length
            if kept:
                chunks = (kept[0], kept[-1] + 1)
                terms.append(xet_formats.Term(term.xorb, chunks, self.xorbs[term.xorb].unpacked(chunks)))
        return offset, terms

    def _fetches(self, version, terms, repo, request):
        wanted = collections.defaultdict(list)
        for term in terms:
            wanted[term.xorb].append(term.chunks)
        session = request.header("X-Xet-Session-Id") or ""
        fetches = {}
        for name, pieces in wanted.items():
            pairs = [(chunks, self.xorbs[name].span(chunks)) for chunks in _merged(pieces)]
            if version == 1:
                fetches[name] = [{"range": _range(*chunks), "url": self.storage.sign(name, [span], repo, session, self.ttl),
                                  "url_range": _range(*span)} for chunks, span in pairs]
            else:
                url = self.storage.sign(name, [span for _, span in pairs], repo, session, self.ttl)
                fetches[name] = [{"url": url, "ranges": [{"chunks": _range(*chunks), "bytes": _range(*span)}
                                                         for chunks, span in pairs]}]
        return fetches


def _range(start, end):
    return {"start": start, "end": end}


def _merged(pieces):
    merged = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged

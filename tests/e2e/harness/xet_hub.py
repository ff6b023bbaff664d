"""A small Hub whose large files are in Xet: what the Hub says of them, and the tokens for the stand-in CAS."""

import json

from harness.small_hub import Repo, git_oid


class XetRepo(Repo):
    """`files` whose name is in `hashes` ({name: xet hash}) were uploaded to `cas`."""

    def __init__(self, hub, name, files, cas, hashes, token=None, commit="2" * 40):
        self.cas, self.hashes = cas, hashes
        super().__init__(hub, name, files, "models", commit, token)
        for revision in ("main", commit):
            self._file(revision, *next((path, content) for path, content in self.files.items() if path in hashes))
            for scope in ("read", "write"):
                self._api(f"{self.at}/xet-{scope}-token/{revision}", self._token(scope))

    def _token(self, scope):
        def give(request, answer):
            token = self.cas.token(self.name, scope)
            self._json(answer, token, **self.cas.token_fields(token))

        return give

    def _api(self, path, handler):
        def in_xet(request, answer):
            handler(request, answer)
            name = request.path.rsplit("/", 1)[-1]
            if "X-Xet-Hash" in answer.headers:
                token = self.hub.origin.url(f"{self.at}/xet-read-token/{self.commit}")
                plan = f"{self.cas.url}/v1/reconstructions/{self.hashes[name]}"
                answer.headers["X-Repo-Commit"] = self.commit
                answer.headers["X-Xet-Hash"] = self.hashes[name]
                answer.headers["Link"] = f'<{token}>; rel="xet-auth", <{plan}>; rel="xet-reconstruction-info"'

        super()._api(path, in_xet)

    def _tree(self, request, answer):
        entries = []
        for path, content in self.files.items():
            entry = {"type": "file", "path": path, "size": content.size, "oid": git_oid(content)}
            if path in self.hashes:
                entry |= {"lfs": {"oid": content.sha256(), "size": content.size, "pointerSize": 134},
                          "xetHash": self.hashes[path]}
            entries.append(entry)
        answer.become(200, {"Content-Type": "application/json"}, json.dumps(entries).encode())


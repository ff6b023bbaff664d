"""The Hub where its large files are in Xet: the tokens for the stand-in CAS, and the hashes that the real hf_xet gave them."""

import json

from harness.small_hub import Repo


class XetRepo(Repo):
    """`files` whose name is in `hashes` ({name: xet hash}) were uploaded to `cas`."""

    def __init__(self, hub, name, files, cas, hashes, token=None, commit="2" * 40):
        self.cas, self.hashes = cas, hashes
        super().__init__(hub, name, files, "models", commit, token)

    def xet_hash(self, path, content):
        return self.hashes[path]

    def plan_url(self, path, content):
        return f"{self.cas.url}/v1/reconstructions/{self.hashes[path]}"

    def _api(self, rest, request, answer):
        scope = rest.partition("/")[0]
        if scope not in ("xet-read-token", "xet-write-token"):
            super()._api(rest, request, answer)
            return
        token = self.cas.token(self.name, scope.split("-")[1])
        answer.become(200, {"Content-Type": "application/json", **self.cas.token_fields(token)}, json.dumps(token).encode())

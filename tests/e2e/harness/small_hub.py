"""What a mirror's own tests need of the Hugging Face Hub: a repository, its commit, files that are sent and files that are
redirected to a CDN with a fresh signature each time, and who may read them.

    repo = SmallHub(origin, cdn).repo("org/model", {"config.json": b"{}", "model.bin": Content(3 * MIB)})
    assert mirror.get("/org/model/resolve/main/config.json").body == b"{}"
"""

import hashlib
import json
from urllib.parse import quote

from harness.content import Text


class SmallHub:
    def __init__(self, origin, cdn):
        self.origin, self.cdn = origin, cdn
        self.down = False

    def repo(self, name, files, type="models", commit="1" * 40, token=None, gated=False):
        """With `token` only its bearer reads; of a gated one everybody reads the listings and README.md."""
        return Repo(self, name, files, type, commit, token, gated)

    @property
    def requests(self):
        """What the Hub itself was asked, without the second step of a redirect of its own."""
        return [each for each in self.origin.requests if not each.path.startswith("/api/resolve-cache/")]


class Repo:
    def __init__(self, hub, name, files, type, commit, token, gated=False):
        self.hub, self.name, self.type, self.token, self.gated = hub, name, type, token, gated
        self.files = {path: Text(data) if isinstance(data, bytes) else data for path, data in files.items()}
        self.at = f"/api/{type}/{name}"
        self.web = f"/{name}" if type == "models" else f"/{type}/{name}"
        self.commits = []
        self.move_to(commit)
        self._api(self.at, self._info)
        self._api(f"{self.at}/revision/main", self._info)
        self._api(f"{self.at}/revision/nowhere", self._no_revision)

    def move_to(self, commit):
        """`main` is this commit from now on; the files are the same."""
        self.commit = commit
        self.commits.append(commit)
        self._api(f"{self.at}/revision/{commit}", self._info)
        self._api(f"{self.at}/tree/{commit}", self._tree)
        for path, content in self.files.items():
            self._file(commit, path, content)
        self._api(f"{self.web}/resolve/{commit}/missing.json", self._no_entry)

    def resolve(self, path, revision="main"):
        return f"{self.web}/resolve/{revision}/{quote(path)}"

    # Answers ------------------------------------------------------------------------------------------------------------

    def _api(self, path, handler):
        def guarded(request, answer):
            if self.hub.down:
                answer.become(503, {"Content-Type": "text/plain"}, b"down")
            elif self.gated and "/resolve/" in path and not path.endswith("/README.md") and not self._lets_in(request):
                answer.become(403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"}, b"no")
            elif not self.gated and not self._lets_in(request):
                answer.become(401, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}, b"no")
            else:
                handler(request, answer)

        self.hub.origin.add_handler(path, guarded)

    def _lets_in(self, request):
        return not self.token or request.header("Authorization") == f"Bearer {self.token}"

    def _json(self, answer, value, **headers):
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        answer.become(200, {"Content-Type": "application/json", "ETag": 'W/"moving"', **named}, json.dumps(value).encode())

    def _info(self, request, answer):
        self._json(answer, {"id": self.name, "sha": self.commit, "siblings": [{"rfilename": path} for path in self.files]})

    def _tree(self, request, answer):
        entries = []
        for path, content in self.files.items():
            entry = {"type": "file", "path": path, "size": content.size, "oid": git_oid(content)}
            if is_large(content):
                entry |= {"lfs": {"oid": content.sha256(), "size": content.size, "pointerSize": 132}, "xetHash": "e" * 64}
            entries.append(entry)
        if "cursor=" in request.query:
            self._json(answer, [])
            return
        following = self.hub.origin.url(request.path, "cursor=two")
        self._json(answer, entries, Link=f'<{following}>; rel="next"')

    def _no_revision(self, request, answer):
        answer.become(404, {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id: nowhere"}, b"no")

    def _no_entry(self, request, answer):
        commit = request.path.split("/resolve/")[1].split("/")[0]
        answer.become(404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found", "X-Repo-Commit": commit},
                      b"Entry not found")

    def _file(self, commit, path, content):
        headers = {"X-Repo-Commit": commit}
        if is_large(content):
            place = f"/repos/aa/bb/{'c' * 64}/{content.sha256()}"
            self.hub.cdn.add(place, content, signed=True, etag='"of-the-cdn"')

            def redirect(request, answer):
                answer.become(302, {**headers, "Location": self.hub.cdn.signed_url(place),
                                    "X-Linked-Etag": f'"{content.sha256()}"', "X-Linked-Size": str(content.size),
                                    "X-Xet-Hash": "e" * 64, "Vary": "Accept, Origin",
                                    "Link": f'<https://hub/api/xet-read-token/{commit}>; rel="xet-auth"'})
        else:
            place = f"/api/resolve-cache/{self.type}/{self.name}/{commit}/{quote(path)}"
            self.hub.origin.add(place, content, etag=f'"{git_oid(content)}"', headers=headers, content_type="text/plain")

            def redirect(request, answer):
                answer.become(307, {**headers, "Location": f"{place}?etag=x"})

        self._api(f"{self.web}/resolve/{commit}/{quote(path)}", redirect)


def is_large(content):
    return content.size > 64 * 1024


def git_oid(content):
    return hashlib.sha1(b"blob %d\0" % content.size + content.bytes()).hexdigest()

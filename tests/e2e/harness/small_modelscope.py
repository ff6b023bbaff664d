"""What a mirror's tests need of ModelScope: repositories with listings, small files that the API sends itself (chunked, deaf to
Range), large ones that it redirects to a store with a fresh signature each time, a no that comes with status 200, and tokens that
are shown as a bearer or as a cookie.

    repo = SmallModelScope(origin, cdn).repo("org/model", {"config.json": b"{}", "model.bin": Content(3 * MIB)})
    assert mirror.get(repo.file("config.json")).body == b"{}"
"""

import json
from urllib.parse import parse_qs, quote, quote_plus

from harness.content import Text

COMMIT = "1" * 40


class SmallModelScope:
    def __init__(self, origin, cdn):
        self.origin, self.cdn = origin, cdn
        self.down = False
        self.no_status = 404  # of a no; 200 is one that only the JSON tells
        region = b'{"Code": 200, "Data": {"InternalRegionQueryAddress": ""}, "Success": true}'
        origin.add_handler("/api/v1/repos/internalAccelerationInfo",
                           lambda request, answer: answer.become(200, {"Content-Type": "application/json"}, region))

    def repo(self, name, files, type="models", token=None):
        """With `token` only who shows it is let in."""
        return Repo(self, name, files, type, token)

    @property
    def requests(self):
        return self.origin.requests

    def asked_for(self, *ends):
        return [each for each in self.requests if each.path.endswith(ends)]


class Repo:
    def __init__(self, host, name, files, type, token):
        self.host, self.name, self.type, self.token = host, name, type, token
        self.shown = ()  # targets with these words are for everybody
        self.revisions = {}  # of branches, tags and commits: {path: content}
        self.at = f"/api/v1/{type}/{name}"
        self.listing_word = "tree" if type == "datasets" else "files"
        number = 4711
        for at in (self.at, f"/api/v1/{type}/{number}"):  # clients before 1.38 list datasets by their number
            self.answer(at, lambda request, answer: self._yes(answer, {"Name": name, "Id": number, "Type": 1}))
            self.answer(f"{at}/repo/{self.listing_word}", self._listing)
        self.answer(f"{self.at}/revisions", self._revisions)
        self.answer(f"{self.at}/repo", self._file)
        self.push(files)

    def push(self, files, commit=COMMIT, tag=None):
        """What `master` and `commit` have from now on."""
        contents = {path: Text(data) if isinstance(data, bytes) else data for path, data in files.items()}
        for revision in filter(None, ("master", commit, tag)):
            self.revisions[revision] = contents
        for content in contents.values():
            if is_large(content):
                self.host.cdn.add(place_of(content), content, signed=True, etag='"of-the-store"')

    def file(self, path, revision="master"):
        return f"{self.at}/repo?Revision={quote_plus(revision)}&FilePath={quote_plus(path)}"

    def listing(self, revision="master"):
        paging = "&PageNumber=1&PageSize=200" if self.type == "datasets" else ""
        return f"{self.at}/repo/{self.listing_word}?Revision={revision}&Recursive=True{paging}"

    def web(self, path, revision="master"):
        target = f"/{self.type}/{self.name}/resolve/{revision}/{quote(path)}"
        self.answer(target, lambda request, answer: self._send(self.revisions[revision][path], path, answer))
        return target

    # Answers ------------------------------------------------------------------------------------------------------------

    def answer(self, path, handler):
        def guarded(request, answer):
            if self.host.down:
                answer.become(503, {"Content-Type": "text/plain"}, b"down")
            elif not self._lets_in(request) and not any(word in request.target for word in self.shown):
                self._no(answer, 403, "no permission")
            else:
                handler(request, answer)

        self.host.origin.add_handler(path, guarded)

    def _lets_in(self, request):
        shown = (request.header("Authorization"), request.header("Cookie"))
        return not self.token or f"Bearer {self.token}" in shown or f"m_session_id={self.token}" in shown

    def _yes(self, answer, data):
        body = {"Code": 200, "Data": data, "Message": "success", "RequestId": "r", "Success": True}
        answer.become(200, {"Content-Type": "application/json; charset=utf-8", "Set-Cookie": "acw_tc=theirs; Path=/"},
                      json.dumps(body).encode())

    def _no(self, answer, status, message):
        body = {"Code": 10010205001, "Message": message, "RequestId": "r", "Success": False}
        answer.become(200 if self.host.no_status == 200 else status, {"Content-Type": "application/json; charset=utf-8"},
                      json.dumps(body).encode())

    def _revisions(self, request, answer):
        self._yes(answer, {"RevisionMap": {"Branches": [{"Revision": "master", "CreatedAt": 1700000000}], "Tags": [
            {"Revision": name, "CreatedAt": 1700000000} for name in self.revisions if name not in ("master", COMMIT)]}})

    def _listing(self, request, answer):
        asked = {name: values[-1] for name, values in parse_qs(request.query).items()}
        files = self.revisions.get(asked.get("Revision", "master"))
        if files is None:
            self._no(answer, 404, "the revision does not exist")
            return
        root = asked.get("Root", "").strip("/")
        entries = []
        for path, content in sorted(files.items()):
            inside = path[len(root) + 1:] if root else path
            below = not root or path.startswith(root + "/")
            if below and (asked.get("Recursive") == "True" or "/" not in inside):
                entries.append({"Name": path.rsplit("/", 1)[-1], "Path": path, "Type": "blob", "Size": content.size,
                                "Sha256": content.sha256(), "IsLFS": is_large(content), "Revision": COMMIT})
        size, page = int(asked.get("PageSize", 3000)), int(asked.get("PageNumber", 1))
        self._yes(answer, {"Files": entries[(page - 1) * size : page * size]})

    def _file(self, request, answer):
        asked = {name: values[-1] for name, values in parse_qs(request.query).items()}
        content = self.revisions.get(asked["Revision"], {}).get(asked["FilePath"])
        if content is None:
            self._no(answer, 404, "the file path does not exist")
        else:
            self._send(content, asked["FilePath"], answer)

    def _send(self, content, path, answer):
        if is_large(content):
            answer.become(302, {"Location": self.host.cdn.signed_url(place_of(content)), "X-Linked-Etag": content.sha256()})
            return
        answer.become(200, {"Content-Type": "application/octet-stream", "Set-Cookie": "acw_tc=theirs; Path=/",
                            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(path)}"}, content.bytes())
        answer.framing = "chunked"


def is_large(content):
    return content.size > 64 * 1024


def place_of(content):
    digest = content.sha256()
    return f"/prod/lfs-objects/{digest[:2]}/{digest[2:4]}/{digest[4:]}"

"""The Hugging Face Hub as it is in 2026, as far as its clients and mirrors can tell: repositories with branches, tags and pull
requests; small files behind a 307 to /api/resolve-cache/, large ones behind a 302 to a CDN that signs each link anew; listings in
pages; who may read; errors that have a code.

    repo = SmallHub(origin, cdn).repo("org/model", {"config.json": b"{}", "model.bin": Content(3 * MIB)})
    assert mirror.get("/org/model/resolve/main/config.json").body == b"{}"
"""

import hashlib
import json
from urllib.parse import quote, unquote

from harness import git_backend, hub_listings
from harness.content import Text
from harness.hub_listings import git_oid, is_large
from harness.lfs_server import pointer

PAGE = 1000  # entries of a listing


class SmallHub:
    def __init__(self, origin, cdn):
        self.origin, self.cdn = origin, cdn
        self.down = False
        self.silent = None  # an Event: no answer begins before it is set
        self.page = PAGE
        self.calls_itself = origin.url("")  # in links
        self.repos = []
        self.users = {}  # token: name, for whoami
        self.git_root = None
        origin.fallback = lambda request: self.resource(request.path)

    def repo(self, name, files, type="models", commit="1" * 40, token=None, gated=False, storage="xet"):
        """With `token` only its bearer reads; of a gated one everybody reads the listings and README.md."""
        return Repo(self, name, files, type, commit, token, gated, storage)

    def resource(self, path):
        """What answers under `path`, however that is written."""
        plain = quote(unquote(path))
        if plain not in self.origin.resources:
            self.origin.add_handler(plain, self._answer)
        return self.origin.resources[plain]

    @property
    def requests(self):
        return list(self.origin.requests)

    def asked(self, text):
        return [each for each in self.requests if text in unquote(each.target)]

    def _answer(self, request, answer):
        path = unquote(request.path)
        answer.before_head = self.silent
        if self.down:
            answer.become(503, {"Content-Type": "text/plain"}, b"down")
        elif path == "/api/whoami-v2":
            self._whoami(request, answer)
        elif path.startswith("/api/resolve-cache/"):
            answer.become(400, {}, b"a commit is needed")
        else:
            for repo in sorted(self.repos, key=lambda each: -len(each.name)):
                for root, serve in repo.roots.items():
                    if path == root or path.startswith(root + "/"):
                        repo.answer(path.removeprefix(root).strip("/"), request, answer, serve)
                        return
            refuse(answer, 401, "RepoNotFound", "Repository not found")

    def _whoami(self, request, answer):
        name = self.users.get((request.header("Authorization") or "").removeprefix("Bearer "))
        if name:
            answer.become(200, {"Content-Type": "application/json"}, json.dumps({"type": "user", "name": name}).encode())
        else:
            answer.become(401, {"X-Error-Message": "Invalid credentials in Authorization header"}, b"no")


class Repo:
    def __init__(self, hub, name, files, type="models", commit="1" * 40, token=None, gated=False, storage="xet"):
        self.hub, self.name, self.type, self.token, self.gated, self.storage = hub, name, type, token, gated, storage
        self.files = as_contents(files)
        self.at = f"/api/{type}/{name}"
        self.web = f"/{name}" if type == "models" else f"/{type}/{name}"
        self.roots = {f"{self.web}.git": self._git, self.at: self._api, self.web: self._web, f"/v2/{name}": self._registry}
        self.leaves_out = ()  # members of its information
        self.refs = {}  # "main", "v1", "refs/pr/1": commit
        self.snapshots = {}  # commit: {path: Content}
        hub.repos.append(self)
        self.move_to(commit)

    def move_to(self, commit):
        """`main` is this commit from now on; the files are the same."""
        self.commit = commit
        self.ref("main", commit, self.files)

    def ref(self, name, commit, files=None):
        """A branch ("dev"), a tag ("v1", "1.0") or a pull request ("refs/pr/1") with these files, or with main's."""
        self.refs[name] = commit
        self.snapshots[commit] = as_contents(files) if files is not None else self.files
        for path, content in self.snapshots[commit].items():
            if is_large(content):
                place = self.place_of(path, content)
                etag = f'"{place.rpartition("/")[2]}"' if self.storage == "xet" else '"of-the-cdn"'
                self.hub.cdn.add(place, content, signed=True, etag=etag)
            else:
                self._cache_small(commit, path, content)

    def resolve(self, path, revision="main"):
        return f"{self.web}/resolve/{quote(revision, safe='')}/{quote(path)}"

    def place_of(self, path, content):
        """Of a large file at the CDN: where Xet's bridge has it, or, as of old, Git LFS."""
        if self.storage == "xet":
            return f"/xet-bridge-us/{hashlib.sha256(self.name.encode()).hexdigest()[:24]}/{self.xet_hash(path, content)}"
        return f"/repos/aa/bb/{'c' * 64}/{content.sha256()}"

    def xet_hash(self, path, content):
        return hashlib.sha256(f"xet {content.sha256()}".encode()).hexdigest()

    def make_git(self, folder):
        """git clone works from now on: main, with pointers for the large files."""
        self.hub.git_root = folder / "git"
        large = [path for path, content in self.files.items() if is_large(content)]
        plain = {path: content.bytes() for path, content in self.files.items() if path not in large}
        attributes = "".join(f"{path} filter=lfs diff=lfs merge=lfs -text\n" for path in large)
        files = {**plain, **{path: pointer(self.files[path]).encode() for path in large}, ".gitattributes": attributes.encode()}
        bare = self.hub.git_root / f"{self.web}.git".lstrip("/")
        git_backend.create(bare, folder / "work" / self.name, files)

    # Answers ------------------------------------------------------------------------------------------------------------

    def answer(self, rest, request, answer, serve):
        if not self.gated and not self._lets_in(request):
            refuse(answer, 401, "RepoNotFound", "Repository not found")
        else:
            serve(rest, request, answer)

    def split(self, rest):
        """(commit, path) of "main/config.json" or "refs/pr/1/config.json"; the commit is None where there is no such one."""
        known = {commit: commit for commit in self.snapshots} | self.refs | {"HEAD": self.commit}
        for name in sorted(known, key=len, reverse=True):
            if rest == name or rest.startswith(name + "/"):
                return known[name], rest[len(name) + 1 :]
        return None, ""

    def _lets_in(self, request):
        return not self.token or request.header("Authorization") == f"Bearer {self.token}"

    def _api(self, rest, request, answer):
        word, _, rest = rest.partition("/")
        if word in ("refs", "auth-check"):
            getattr(hub_listings, word.replace("-", "_"))(self, request, answer)
            return
        commit, path = self.split(rest or "main") if word in ("", "revision", "tree", "paths-info", "commits") else ("", "")
        if commit == "":
            answer.become(404, {}, b"Sorry, we can't find the page you are looking for.")
        elif commit is None:
            refuse(answer, 404, "RevisionNotFound", f"Invalid rev id: {rest}")
        else:
            serve = {"tree": hub_listings.tree, "paths-info": hub_listings.paths_info, "commits": hub_listings.commits}
            serve.get(word, hub_listings.info)(self, commit, path, request, answer)

    def _web(self, rest, request, answer):
        word, _, rest = rest.partition("/")
        if word == "info" or word.startswith("git-"):
            self._git(f"{word}/{rest}".strip("/"), request, answer)
            return
        commit, path = self.split(rest)
        content = self.snapshots.get(commit, {}).get(path)
        if word not in ("resolve", "raw"):
            answer.become(404, {}, b"no such page")
        elif commit is None:
            refuse(answer, 404, "RevisionNotFound", f"Invalid rev id: {rest.partition('/')[0]}")
        elif self.gated and path not in ("README.md", ".gitattributes") and not self._lets_in(request):
            status = 403 if request.header("Authorization") else 401
            refuse(answer, status, "GatedRepo", f"Access to model {self.name} is restricted")
        elif content is None:
            refuse(answer, 404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
        elif word == "raw":
            answer.become(200, {"Content-Type": "text/plain"}, (pointer(content).encode() if is_large(content) else content.bytes()))
        elif is_large(content):
            answer.become(302, self.redirect_fields(commit, path, content), b"Found. Redirecting")
        else:
            place = f"/api/resolve-cache/{self.type}/{self.name}/{commit}/{quote(path)}"
            query = f"{quote(request.path, safe='')}=&etag=%22{git_oid(content)}%22"
            answer.become(307, {"X-Repo-Commit": commit, "Location": f"{place}?{query}"}, b"Temporary Redirect")

    def redirect_fields(self, commit, path, content):
        fields = {"X-Repo-Commit": commit, "X-Linked-Etag": f'"{content.sha256()}"', "X-Linked-Size": str(content.size),
                  "Accept-Ranges": "bytes", "Vary": "Accept, Origin", "Content-Type": "text/plain; charset=utf-8",
                  "Location": self.hub.cdn.signed_url(self.place_of(path, content))}
        if self.storage == "xet":
            route = self.hub.origin.url(f"{self.at}/xet-read-token/{commit}")
            fields["X-Xet-Hash"] = self.xet_hash(path, content)
            fields["X-Xet-Refresh-Route"] = route
            fields["Link"] = f'<{route}>; rel="xet-auth", <{self.plan_url(path, content)}>; rel="xet-reconstruction-info"'
        return fields

    def plan_url(self, path, content):
        return f"https://cas.hub.test/v1/reconstructions/{self.xet_hash(path, content)}"

    def _cache_small(self, commit, path, content):
        place = f"/api/resolve-cache/{self.type}/{self.name}/{commit}/{quote(path)}"
        resource = self.hub.origin.add(place, content, etag=f'"{git_oid(content)}"', headers={"X-Repo-Commit": commit},
                                       content_type="text/plain; charset=utf-8")

        def guard(request, answer):
            answer.before_head = self.hub.silent
            if self.hub.down:
                answer.become(503, {"Content-Type": "text/plain"}, b"down")
            elif not self._lets_in(request) and not (self.gated and path == "README.md"):
                refuse(answer, 401, "RepoNotFound", "Repository not found")

        resource.handler = guard

    def _registry(self, rest, request, answer):
        """What Ollama and older llama.cpp ask: a manifest for a tag that is a quantisation's name."""
        gguf = next((path for path in self.files if path.endswith(".gguf")), None)
        if not rest.startswith("manifests/") or gguf is None:
            answer.become(404, {"Content-Type": "application/json"}, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
            return
        content = self.files[gguf]
        manifest = {"schemaVersion": 2, "layers": [{"digest": f"sha256:{content.sha256()}", "size": content.size}],
                    "ggufFile": {"rfilename": gguf, "blobId": git_oid(content), "size": content.size,
                                 "lfs": {"sha256": content.sha256(), "size": content.size, "pointerSize": 132}}}
        answer.become(200, {"Content-Type": "application/json"}, json.dumps(manifest).encode())

    def _git(self, rest, request, answer):
        if rest == "info/lfs/objects/batch":
            self._batch(request, answer)
        elif self.hub.git_root is None or rest.startswith("info/lfs"):
            answer.become(404, {}, b"no such thing")
        else:
            target = f"{self.web}.git/{rest}" + (f"?{request.query}" if request.query else "")
            status, fields, payload = git_backend.answer(self.hub.git_root, request.method, target, request.header, request.body)
            answer.become(status, dict(fields), payload)

    def _batch(self, request, answer):
        objects = []
        for wanted in json.loads(request.body)["objects"]:
            found = next(((path, content) for path, content in self.files.items() if content.sha256() == wanted["oid"]), None)
            reply = {"oid": wanted["oid"], "size": wanted["size"]}
            if found:
                href = self.hub.cdn.signed_url(self.place_of(*found))
                reply |= {"authenticated": True, "actions": {"download": {"href": href, "expires_in": 3600}}}
            else:
                reply["error"] = {"code": 404, "message": "no such object"}
            objects.append(reply)
        answer.become(200, {"Content-Type": "application/vnd.git-lfs+json"},
                      json.dumps({"transfer": "basic", "objects": objects}).encode())


def refuse(answer, status, code, message, more=None):
    fields = {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json; charset=utf-8", **(more or {})}
    answer.become(status, fields, json.dumps({"error": message}).encode())


def as_contents(files):
    return {path: Text(data) if isinstance(data, bytes) else data for path, data in files.items()}

"""An OCI registry whose clients need a token of its token server, and whose blobs are in a store behind signed URLs, as Docker
Hub and most others have it.

    registry = SmallRegistry(origin, store)
    repo = registry.repo("team/app", Image([Content(3 * MIB)]), users={"owner": password})
    token = registry.token("team/app", "owner")         # what the token server gives to this user; None: to nobody
"""

import base64
import json
import urllib.parse

from harness.oci_image import ACCEPT
from harness.signing import secret


class SmallRegistry:
    def __init__(self, origin, store):
        self.origin, self.store = origin, store
        self.down = False  # it says so
        self.gone = False  # not a word
        self.tokens = {}  # token: repositories
        self.repos = {}
        self.origin.add_handler("/v2/", self._base)
        self.origin.add_handler("/token", self._give_token)

    def repo(self, name, image, tag="latest", users=None):
        """`users`: passwords of those who may read it; None: everybody, without a token too."""
        return Repo(self, name, image, tag, users)

    def token(self, name, user=None):
        token = secret("token")
        users = self.repos[name].users
        self.tokens[token] = [name] if users is None or user in users else []
        return token

    @property
    def challenge(self):
        return f'Bearer realm="{self.origin.url("/token")}",service="small"'

    @property
    def requests(self):
        return [each for each in self.origin.requests if each.path != "/token"]

    def _base(self, request, answer):
        answer.silent = self.gone
        if self.down:
            answer.become(503, {}, b"down")
        elif (request.header("Authorization") or "").removeprefix("Bearer ") in self.tokens or not self._is_private():
            answer.become(200, {"Content-Type": "application/json"}, b"{}")
        else:
            refuse(answer, self.challenge)

    def _is_private(self):
        return any(repo.users is not None for repo in self.repos.values())

    def _give_token(self, request, answer):
        """https://distribution.github.io/distribution/spec/auth/token/"""
        query = urllib.parse.parse_qs(request.query)
        user, _, password = base64.b64decode((request.header("Authorization") or "").removeprefix("Basic ")).decode().partition(":")
        names = [scope.split(":")[1] for scope in query.get("scope", [])]
        if user and not any((repo.users or {}).get(user) == password for repo in self.repos.values()):
            answer.become(401, {"Content-Type": "application/json"}, b'{"details": "wrong password"}')
            return
        token = secret("token")
        self.tokens[token] = [name for name in names if self.repos[name].users is None or user in self.repos[name].users]
        answer.become(200, {"Content-Type": "application/json"}, json.dumps({"token": token, "expires_in": 300}).encode())


class Repo:
    def __init__(self, registry, name, image, tag, users):
        self.registry, self.name, self.users = registry, name, users
        self.at = f"/v2/{name}"
        registry.repos[name] = self
        self.tag = tag
        self.push(image)
        self._serve(f"{self.at}/tags/list", self._tags)

    def push(self, image):
        """The tag is this image from now on."""
        self.image = image
        for digest, manifest in image.manifests.items():
            self._serve(f"{self.at}/manifests/{digest}", self._manifest(lambda manifest=manifest: manifest))
        self._serve(f"{self.at}/manifests/{self.tag}", self._manifest(lambda: self.image))
        for digest, blob in image.blobs.items():
            self._serve(f"{self.at}/blobs/{digest}", self._blob(digest))
            if self.place(digest) not in self.registry.store.resources:
                self.registry.store.add(self.place(digest), blob, signed=True)

    def manifest(self, reference=None):
        return f"{self.at}/manifests/{reference or self.tag}"

    def blob(self, digest):
        return f"{self.at}/blobs/{digest}"

    def stored(self, digest):
        """The store's resource, which counts."""
        return self.registry.store.resources[self.place(digest)]

    @staticmethod
    def place(digest):
        return f"/docker/registry/v2/blobs/{digest.replace(':', '/')}/data"

    def _serve(self, path, handler):
        def guarded(request, answer):
            token = (request.header("Authorization") or "").removeprefix("Bearer ")
            answer.silent = self.registry.gone
            if self.registry.down:
                answer.become(503, {"Content-Type": "text/plain"}, b"down")
            elif self.users is not None and self.name not in self.registry.tokens.get(token, ()):
                refuse(answer, f'{self.registry.challenge},scope="repository:{self.name}:pull"')
            else:
                handler(request, answer)

        self.registry.origin.add_handler(path, guarded)

    def _manifest(self, find):
        def send(request, answer):
            manifest = find()
            headers = {"Content-Type": manifest.media_type, "Docker-Content-Digest": manifest.digest, "ETag": f'"{manifest.digest}"'}
            answer.become(200, headers, manifest.data)

        return send

    def _blob(self, digest):
        def redirect(request, answer):
            answer.become(307, {"Location": self.registry.store.signed_url(self.place(digest)), "Docker-Content-Digest": digest})

        return redirect

    def _tags(self, request, answer):
        answer.become(200, {"Content-Type": "application/json", "Link": f'<{self.at}/tags/list?last={self.tag}&n=1>; rel="next"'},
                      json.dumps({"name": self.name, "tags": [self.tag]}).encode())


def refuse(answer, challenge):
    answer.become(401, {"WWW-Authenticate": challenge, "Content-Type": "application/json"},
                  b'{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}')


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def pull(mirror, repo, image=None, hawker=None, query="", **headers):
    """As containerd does: HEAD of the tag, then everything by its digest."""
    image = image or repo.image
    head = mirror.head(repo.manifest() + query, Accept=ACCEPT, **headers)
    assert (head.status, head.header("Docker-Content-Digest")) == (200, image.digest)
    for digest, manifest in image.manifests.items():
        got = mirror.get(repo.manifest(digest) + query, Accept=ACCEPT, **headers)
        assert (got.status, got.body, got.header("Content-Type")) == (200, manifest.data, manifest.media_type)
    for digest, blob in image.blobs.items():
        got = mirror.get(repo.blob(digest) + query, **headers)
        assert (got.status, got.body) == (200, blob.data)
        if hawker:
            hawker.wait_until_stored(got)

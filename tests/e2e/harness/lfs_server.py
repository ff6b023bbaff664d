"""A Git LFS host: smart HTTP by git http-backend, the batch API, and a storage side that checks every signature.

The batch API signs each URL anew; the storage is an `Origin`, so it counts bytes and can be told to fail. Like the big hosts, it
always names its storage by https://, whether clients reach it that way or through a rewriting proxy.
"""

import http.server
import json
import threading

from harness import git_backend
from harness.content import Content
from harness.crowd_server import CrowdServer
from harness.names import machine
from harness.origin import Origin

PREFIX = "/lfs/objects/"
STORE_FIELD = "Basic Z2l0bGFiOnNob3J0LWxpdmVk"


class LfsServer:
    def __init__(self, folder, authority, tls=False):
        self.folder = folder
        name, address = machine()
        self.storage = Origin(authority.server_context(), name, address)
        self.ttl = 3600  # of the signatures the batch API hands out
        self.link = self.signed_link  # (path, operation): an action of the batch API's answer
        self.authorization = None  # exactly what the batch API and objects at home want to see; None: nothing
        self.bytes_from_home = 0  # of objects that the git host itself serves
        self.batches = []  # request bodies of the batch API
        self.handed_out = []  # every href
        self._server = CrowdServer((address, 0), _handler(self))
        self._server.daemon_threads = True
        if tls:
            self._server.socket = authority.server_context().wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.host = f"{name}:{self.port}"
        self.base = f"{'https' if tls else 'http'}://{self.host}"
        self.repo = f"{self.base}/team/models.git"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self.storage.close()

    def create(self, files):
        """A bare repository whose one commit holds `files` ({name: Content}) as LFS pointers."""
        pointers = {".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n"}
        for name, content in files.items():
            pointers[name] = pointer(content).encode()
            self.store(content)
        git_backend.create(self.folder / "git" / "team" / "models.git", self.folder / "work", pointers)
        return self.repo

    def store(self, content):
        """Puts an object on the storage side; its resource."""
        return self.storage.add(object_path(content.sha256()), content, signed=True)

    def object(self, content):
        return self.storage.resources[object_path(content.sha256())]

    def answer_batch(self, request):
        self.batches.append(request)
        objects = []
        for wanted in request["objects"]:
            path = object_path(wanted["oid"])
            known = path in self.storage.resources and self.storage.resources[path].content.size == wanted["size"]
            answer = {"oid": wanted["oid"], "size": wanted["size"], "authenticated": True}
            if request["operation"] == "download" and not known:
                answer["error"] = {"code": 404, "message": "no such object"}
            elif request["operation"] == "download" or not known:
                if not known:  # an upload makes room for what is coming
                    self.storage.add(path, Content(0), signed=True)
                action = self.link(path)
                self.handed_out.append(action["href"])
                answer["authenticated"] = self.link is not self.link_at_home
                answer["actions"] = {request["operation"]: action}
            objects.append(answer)
        return {"transfer": "basic", "objects": objects}

    def signed_link(self, path):
        """As GitHub's and the Hub's: another host, and the right to read is in the URL."""
        return {"href": self.storage.signed_url(path, self.ttl), "expires_in": max(1, self.ttl)}

    def link_with_field(self, path):
        """As GitLab's: the right to read is a field that comes with the link."""
        self.storage.resources[path].authorization = STORE_FIELD
        self.storage.resources[path].signer = None
        return {"href": self.storage.url(path), "header": {"Authorization": STORE_FIELD}, "expires_in": self.ttl}

    def link_at_home(self, path):
        """As Gitea's: the git host itself, and the client's own credentials, which come back as a field."""
        header = {"header": {"Authorization": self.authorization}} if self.authorization else {}
        return {"href": f"{self.repo}/info/lfs/objects/{path.rpartition('/')[2]}", **header}

    def object_at_home(self, path):
        oid = path.rpartition("/")[2]
        return self.storage.resources.get(object_path(oid)) if f"{self.repo}/info/lfs/objects/{oid}" == self.base + path else None


def object_path(oid):
    return f"{PREFIX}{oid[:2]}/{oid[2:4]}/{oid}"


def pointer(content):
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{content.sha256()}\nsize {content.size}\n"


def _handler(server):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            found = server.object_at_home(self.path)
            if found is None:
                self._git(b"")
            elif self._is_known():
                self._object(found.content)

        def _is_known(self):
            if server.authorization in (None, self.headers.get("Authorization")):
                return True
            self._reply(401, {"message": "who are you?"}, {"LFS-Authenticate": 'Basic realm="lfs"'})
            return False

        def _object(self, content):
            asked = self.headers.get("Range")
            first, last = 0, content.size - 1
            if asked:
                begin, _, end = asked.removeprefix("bytes=").partition("-")
                first, last = int(begin), min(int(end or last), last)
            data = content.bytes(first, last + 1)
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{content.size}")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            server.bytes_from_home += len(data)
            self.wfile.write(data)

        def do_POST(self):
            body = self._body()
            if self.path.endswith("/info/lfs/objects/batch"):
                if self._is_known():
                    self._reply(200, server.answer_batch(json.loads(body)))
            elif "/info/lfs/" in self.path:  # locks: not offered
                self._reply(404, {"message": "no locks here"})
            else:
                self._git(body)

        def do_PUT(self):
            self._body()
            self._reply(404, {"message": "uploads go to the storage"})

        def _body(self):
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _reply(self, status, value, headers=None):
            data = json.dumps(value).encode()
            self.send_response(status)
            for name, field in (headers or {}).items():
                self.send_header(name, field)
            self.send_header("Content-Type", "application/vnd.git-lfs+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _git(self, body):
            if "/info/lfs/" in self.path:
                return self._reply(404, {"message": "no such thing"})
            status, fields, payload = git_backend.answer(server.folder / "git", self.command, self.path, self.headers.get, body)
            self.send_response(status)
            for name, value in fields:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

    return Handler

"""Debian's docker-registry, unprivileged, everything below its own folder; and skopeo, with a home of its own.

    registry = DockerRegistry(folder).start()           # htpasswd=Passwords(...): Basic; token_server=TokenServer(...): Bearer
    skopeo.copy(image.write_layout(folder), registry.reference("team/app"))
    assert registry.count("GET", "/blobs/") == 2
"""

import base64
import json
import re
import shutil
import subprocess
import time
import urllib.parse
import uuid

from harness.clients import run
from harness.ports import accepts, free_port
from harness.waiting import eventually

CONFIG = """
version: 0.1
log: {{level: warn, accesslog: {{disabled: false}}}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
{auth}
"""


def are_installed():
    return shutil.which("docker-registry") and shutil.which("skopeo")


class DockerRegistry:
    def __init__(self, folder, htpasswd=None, token_server=None):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.log_file = folder / "registry.log"
        self._auth = ""
        if htpasswd:
            self._auth = f"auth: {{htpasswd: {{realm: small, path: {htpasswd.file}}}}}"
        if token_server:
            self._auth = (f'auth: {{token: {{realm: "{token_server.url}", service: small, issuer: issuer, '
                          f"rootcertbundle: {token_server.certificate}}}}}")
        self._process = None
        self.port = None

    def start(self):
        """Again on the same port after stop()."""
        for _ in range(5):
            self.port = self.port or free_port()
            config = self.folder / "config.yml"
            config.write_text(CONFIG.format(folder=self.folder, port=self.port, auth=self._auth))
            with open(self.log_file, "ab") as log:
                self._process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log)
            eventually(lambda: self._process.poll() is not None or accepts(self.port), "docker-registry", within=20)
            if self._process.poll() is None:
                return self
            self.port = None
        raise AssertionError(self.log_file.read_text()[-3000:])

    def stop(self):
        if self._process:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def reference(self, name, host=None):
        return f"docker://{host or f'127.0.0.1:{self.port}'}/{name}"

    def lines(self):
        """(method, target, status, bytes) of every request."""
        form = r'"(\w+) (\S+) HTTP/1\.1" (\d+) (\d+)'
        return [(m[1], m[2], int(m[3]), int(m[4])) for m in re.finditer(form, self.log_file.read_text())]

    def count(self, method, part, status=200):
        return sum(line[0] == method and part in line[1] and line[2] == status for line in self.lines())

    def blob_bytes(self):
        return sum(line[3] for line in self.lines() if line[0] == "GET" and "/blobs/sha256:" in line[1])


class TokenServer:
    """Signs what docker-registry's `auth: token` accepts: https://distribution.github.io/distribution/spec/auth/jwt/"""

    def __init__(self, folder, origin, passwords):
        folder.mkdir(exist_ok=True)
        self.passwords = passwords
        self.url = origin.url("/auth")
        self.certificate, self._key = folder / "token.crt", folder / "token.key"
        self.given = 0
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self._key, "-out", self.certificate,
            "-days", "2", "-subj", "/CN=issuer")
        origin.add_handler("/auth", self._answer)

    def _answer(self, request, answer):
        given = base64.b64decode((request.header("Authorization") or "").removeprefix("Basic ")).decode()
        user, _, password = given.partition(":")
        if user and self.passwords.of.get(user) != password:
            answer.become(401, {"Content-Type": "application/json"}, b"{}")
            return
        scopes = urllib.parse.parse_qs(request.query).get("scope", [])
        access = [dict(zip(("type", "name", "actions"), (kind, name, actions.split(","))))
                  for kind, name, actions in (scope.split(":") for scope in scopes) if user]
        self.given += 1
        answer.become(200, {"Content-Type": "application/json"}, json.dumps({"token": self._sign(user, access)}).encode())

    def _sign(self, user, access):
        der = "".join(self.certificate.read_text().splitlines()[1:-1])
        now = int(time.time())
        claims = {"iss": "issuer", "sub": user, "aud": "small", "exp": now + 300, "nbf": now - 10, "iat": now,
                  "jti": uuid.uuid4().hex, "access": access}
        text = ".".join(_base64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "RS256", "x5c": [der]}, claims))
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self._key)], input=text.encode(), check=True,
                                capture_output=True)
        return f"{text}.{_base64(signed.stdout)}"


class Skopeo:
    def __init__(self, folder):
        self.folder = folder
        self._made = 0
        folder.mkdir(exist_ok=True)

    def run(self, *arguments, check=True, options=()):
        """`options` stand before the command."""
        return run("skopeo", "--insecure-policy", "--tmpdir", self.folder, *options, *arguments, check=check,
                   env={"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder)})

    def copy(self, source, target, *more, **how):
        return self.run("copy", "--src-tls-verify=false", "--dest-tls-verify=false", *more, source, target, **how)

    def pull(self, reference, *more, **how):
        """Into a folder of its own, which is returned; None when it failed and that was expected."""
        self._made += 1
        target = self.folder / f"pulled-{self._made}"
        done = self.copy(reference, f"dir:{target}", *more, **how)
        return target if done.returncode == 0 else None


def _base64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")

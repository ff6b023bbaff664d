"""`hawker ca` and `hawker env` as a user types them, and a TLS server whose leaf that authority has signed."""

import http.server
import io
import os
import shutil
import ssl
import subprocess
import threading
import zipfile

from harness import daemon
from harness.crowd_server import CrowdServer
from harness.waiting import patience

HAWKER = daemon.BINARY.resolve().parent / "hawker"


class AuthorityCommands:
    """One user's home with one authority in it. `hawker(*words)` is the finished process."""

    def __init__(self, folder):
        self.home = folder / "home"
        self.directory = folder / "it's a state" / "ca"  # a path that wants quoting
        self.bundle = folder / "it's a bundle" / "all.pem"
        self.home.mkdir()

    def environment(self, **more):
        """A fresh shell's: nothing of ours says whom to trust or which proxy to use."""
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state"),
                "GIT_TERMINAL_PROMPT": "0", **more}

    def hawker(self, *words, check=True, env=None):
        return _finish([HAWKER, *words], check, self.environment(**(env or {})))

    def init(self, *words, check=True, **more):
        return self.hawker("ca", "init", "--directory", self.directory, *words, check=check, **more)

    def trust(self, client):
        """The lines for one client."""
        return self.hawker("ca", "trust", "--directory", self.directory, "--bundle", self.bundle, "--for", client).stdout

    def key_lines(self):
        return (self.directory / "ca.key").read_text().splitlines()[1:-1]

    def leaf(self, host):
        """PEM file with a key and a certificate for `host`, signed by the authority."""
        folder = self.home / "leaves"
        folder.mkdir(exist_ok=True)
        key, request, extensions, certificate, both = (folder / f"{host}.{end}" for end in ("key", "csr", "ext", "crt", "pem"))
        extensions.write_text(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                 "-subj", f"/CN={host}")
        _openssl("x509", "-req", "-in", request, "-CA", self.directory / "ca.pem", "-CAkey", self.directory / "ca.key",
                 "-out", certificate, "-days", "2", "-extfile", extensions)
        both.write_text(certificate.read_text() + key.read_text())
        return both


class Shop:
    """https://localhost:PORT: a text for curl, a repository for git and a package for pip, counting its requests."""

    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    def __init__(self, leaf):
        pages = {"/": b"goods", "/repo.git/info/refs": f"{self.COMMIT}\trefs/heads/main\n".encode(),
                 "/repo.git/HEAD": b"ref: refs/heads/main\n",
                 "/simple/tiny/": b'<a href="/tiny-1.0-py3-none-any.whl">tiny-1.0-py3-none-any.whl</a>',
                 "/tiny-1.0-py3-none-any.whl": _wheel()}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = pages.get(self.path.partition("?")[0])
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", "text/html" if "simple" in self.path else "application/octet-stream")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self._server = CrowdServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # clients that do not trust us hang up
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://localhost:{self._server.server_port}"
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def shell(script, env, program="sh"):
    """`script` as somebody pastes it; (exit code, what was printed)."""
    done = _finish([program, "-c", script], False, env)
    return done.returncode, done.stdout + done.stderr


def installed(program):
    return shutil.which(program) is not None


def _finish(command, check, env):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env,
                          timeout=patience(60), check=False)
    assert not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


def _wheel():
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n")
    return wheel.getvalue()


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

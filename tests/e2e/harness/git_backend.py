"""git's smart HTTP, by git http-backend: bare repositories below a folder, whatever server stands before them."""

import os
import subprocess

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
# No filter, so that pointers are committed as they are.
PLAIN = ["-c", "filter.lfs.clean=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"]


def create(bare, work, files):
    """A bare repository whose branch main has one commit with `files` ({name: text})."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True)
    subprocess.run(["git", "-C", str(bare), "config", "http.receivepack", "true"], check=True)
    for name, data in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(data)
    subprocess.run([*GIT, "-C", str(work), *PLAIN, "add", "."], check=True)
    subprocess.run([*GIT, "-C", str(work), *PLAIN, "commit", "-q", "-m", "weights"], check=True)
    subprocess.run([*GIT, "-C", str(work), "push", "-q", str(bare), "main"], check=True,
                   env={**os.environ, "GIT_LFS_SKIP_PUSH": "1"})


def answer(root, method, target, header, body):
    """(status, [(name, value)], payload) for one request; `header(name)` is a field's value or None."""
    path, _, query = target.partition("?")
    environment = {
        **os.environ, "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
        "REQUEST_METHOD": method, "REMOTE_ADDR": "127.0.0.1", "REMOTE_USER": "tester",
        "CONTENT_TYPE": header("Content-Type") or "", "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": header("Content-Encoding") or "", "GIT_PROTOCOL": header("Git-Protocol") or "",
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
    head, _, payload = done.stdout.partition(b"\r\n\r\n")
    fields = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
    status = next((value for name, value in fields if name == "Status"), "200 OK")
    return int(status.split()[0]), [field for field in fields if field[0] != "Status"], payload

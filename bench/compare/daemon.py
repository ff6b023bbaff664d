"""hawkerd under callgrind, an origin for it, and a client that asks one question at a time."""

import http.server
import re
import socket
import subprocess
import threading
import time

from instructions import counted

CONFIGURATION = """
listen: ["127.0.0.1:0"]
admin: {{ listen: "127.0.0.1:0" }}
threads: 1
# Under valgrind there is no room for the usual map.
cache: {{ directory: "{folder}/cache", max_size: 1GiB, map_size: 1GiB, min_free: 0 }}
destinations: {{ allow: ["127.0.0.0/8"] }}
log: {{ access: false }}
rules:
  - name: compare
    match: '^http://127\\.0\\.0\\.1:{port}/'
    access: shared
"""
PATIENCE = 60  # seconds; for what takes one or two


class Origin:
    """Bodies of these sizes, under these paths."""

    def __init__(self, sizes):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(sizes[self.path]))
                self.send_header("ETag", f'"{self.path}"')
                self.end_headers()
                self.wfile.write(bytes(sizes[self.path]))

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class Daemon:
    def __init__(self, hawkerd, origin, folder):
        self._hawkerd, self._origin, self._folder = hawkerd, origin, folder
        self._dumps = 0

    def __enter__(self):
        configuration = self._folder / "hawker.yaml"
        configuration.write_text(CONFIGURATION.format(folder=self._folder, port=self._origin.port))
        self._log = self._folder / "hawkerd.log"
        self._out = self._folder / "hawkerd.out"
        command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={self._out}", self._hawkerd,
                   "--config", configuration]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            port = self._until(lambda: re.search(r"listening proxy=127\.0\.0\.1:(\d+)", self._log.read_text()))[1]
            self._client = socket.create_connection(("127.0.0.1", int(port)), PATIENCE)
        except BaseException:
            self.__exit__()
            raise
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._client.makefile("rb", 1 << 20)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not (value := condition()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"hawkerd under callgrind does not go on:\n{self._log.read_text()}")
            time.sleep(0.05)
        return value

    def _one(self, path, byte_range):
        """One request; its answer's Cache-Status."""
        extra = f"Range: {byte_range}\r\n" if byte_range else ""
        self._client.sendall(f"GET http://127.0.0.1:{self._origin.port}{path} HTTP/1.1\r\n"
                             f"Host: 127.0.0.1:{self._origin.port}\r\nUser-Agent: compare\r\n{extra}\r\n".encode())
        status = self._answers.readline().split()[1]
        fields = {}
        while (line := self._answers.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            fields[name.lower()] = value.strip()
        length = int(fields["content-length"])
        if status != (b"206" if byte_range else b"200") or len(self._answers.read(length)) != length:
            raise RuntimeError(f"{path} {byte_range}: {status} {fields}")
        return fields.get("cache-status", "")

    def store(self, path):
        """Until it is a hit."""
        self._until(lambda: "; hit" in self._one(path, None))

    def ask(self, path, ranges, times):
        for number in range(times):
            if "; hit" not in self._one(path, ranges[number % len(ranges)]):
                raise RuntimeError(f"{path} is not a hit any more")

    def cost_of(self, path, ranges, times):
        """Instructions while so many requests are answered."""
        self._control("--zero")
        self.ask(path, ranges, times)
        self._dumps += 1
        self._control("--dump")
        out = self._out.with_name(f"{self._out.name}.{self._dumps}")
        return counted(self._until(lambda: out.exists() and out))

    def _control(self, what):
        command = ["callgrind_control", what, str(self._process.pid)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")

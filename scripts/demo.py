#!/usr/bin/env python3
"""Two pulls of one 256 MiB file behind expiring signed URLs: the first from the origin, the second from hawker's disk.

    demo.py HAWKERD

Everything runs on loopback: an nginx origin that checks signatures, and a hawkerd with a cache of its own, both gone at the end.
"""

import base64
import hashlib
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SIZE = 256 << 20

NGINX = """
worker_processes 1;
daemon off;
pid {work}/nginx.pid;
error_log {work}/nginx-error.log;
events {{ }}
http {{
    log_format origin '$status $body_bytes_sent $uri';
    access_log {work}/origin.log origin;
    client_body_temp_path {work}/tmp;
    proxy_temp_path {work}/tmp;
    fastcgi_temp_path {work}/tmp;
    uwsgi_temp_path {work}/tmp;
    scgi_temp_path {work}/tmp;
    server {{
        listen 127.0.0.1:{port};
        root {work}/www;
        location / {{
            secure_link $arg_Signature,$arg_Expires;
            secure_link_md5 "$secure_link_expires$uri {secret}";
            if ($secure_link = "") {{ return 403; }}
            if ($secure_link = "0") {{ return 410; }}
        }}
    }}
}}
"""

HAWKER = """
listen: ["127.0.0.1:0"]
admin: {{ listen: "127.0.0.1:0" }}
cache: {{ directory: "{work}/cache" }}
destinations: {{ allow: ["127.0.0.0/8"] }}
rules:
  - name: demo
    match: '^http://127\\.0\\.0\\.1:{port}/'
    key: {{ strip: [Expires, Signature] }}
    access: verify
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what: str, condition, seconds: float = 20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.02)
    sys.exit(f"demo: {what} did not happen within {seconds} s")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Demo:
    def __init__(self, hawkerd: str, work: pathlib.Path):
        self.hawkerd, self.work = hawkerd, work
        self.secret, self.port = secrets.token_hex(8), free_port()
        self.started: list[subprocess.Popen] = []

    def start_origin(self):
        (self.work / "www").mkdir()
        with open("/dev/urandom", "rb") as noise, open(self.work / "www" / "model.bin", "wb") as file:
            block = noise.read(1 << 20)
            for i in range(SIZE >> 20):
                file.write(i.to_bytes(8, "big") + block[8:])
        config = self.work / "nginx.conf"
        config.write_text(NGINX.format(work=self.work, port=self.port, secret=self.secret))
        self.work.chmod(0o755)
        self.started.append(subprocess.Popen(["/usr/sbin/nginx", "-e", str(self.work / "nginx-error.log"), "-c", str(config)],
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for("nginx", lambda: answers(self.port))

    def start_hawker(self) -> str:
        config = self.work / "hawker.yaml"
        config.write_text(HAWKER.format(work=self.work, port=self.port))
        log = open(self.work / "hawker.log", "wb")
        self.started.append(subprocess.Popen([self.hawkerd, "--config", str(config)], stdout=log, stderr=log))
        pattern = re.compile(r"listening proxy=(\S+)")
        found = wait_for("hawkerd", lambda: pattern.search((self.work / "hawker.log").read_text()))
        return f"http://{found.group(1)}"

    def signed_url(self, lifetime: int) -> str:
        expires = int(time.time()) + lifetime
        text = f"{expires}/model.bin {self.secret}".encode()
        signature = base64.urlsafe_b64encode(hashlib.md5(text).digest()).decode().rstrip("=")
        return f"http://127.0.0.1:{self.port}/model.bin?Expires={expires}&Signature={signature}"

    def origin_bytes(self) -> int:
        log = self.work / "origin.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return sum(int(line.split()[1]) for line in lines if line.startswith("20"))

    def pull(self, name: str, proxy: str, lifetime: int) -> str:
        before, heads = self.origin_bytes(), self.work / "heads"
        start = time.monotonic()
        subprocess.run(["curl", "--silent", "--show-error", "--fail", "--noproxy", "", "--proxy", proxy, "--dump-header",
                        str(heads), "--output", str(self.work / "pulled"), self.signed_url(lifetime)], check=True)
        seconds = time.monotonic() - start
        left = self.origin_bytes() - before
        came = re.search(r"(?im)^cache-status: (.*?); *key", heads.read_text()).group(1)
        print(f"{name:8} {seconds:6.2f} s   {left / 2**20:7.1f} MiB left the origin   Cache-Status: {came}")
        with open(self.work / "pulled", "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def stop(self):
        for process in self.started:
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            process.wait(timeout=20)


def main() -> int:
    hawkerd = os.path.abspath(sys.argv[1])
    work = pathlib.Path(tempfile.mkdtemp(prefix="hawker-demo-"))
    demo = Demo(hawkerd, work)
    try:
        demo.start_origin()
        proxy = demo.start_hawker()
        first = demo.pull("1st pull", proxy, lifetime=600)
        second = demo.pull("2nd pull", proxy, lifetime=1200)
        print("Two signatures, one file: the bytes are", "the same." if first == second else "DIFFERENT!")
        return 0 if first == second else 1
    finally:
        demo.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

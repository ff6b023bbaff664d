"""The contestants: how each is started, what it is asked for, and what it costs."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

NGINX = """
worker_processes 2;
daemon off;
pid {work}/nginx.pid;
error_log {work}/error.log crit;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path {work}/tmp;
    proxy_temp_path {work}/tmp;
    fastcgi_temp_path {work}/tmp;
    uwsgi_temp_path {work}/tmp;
    scgi_temp_path {work}/tmp;
    open_file_cache max=20000 inactive=60s;
    {cache_path}
    server {{
        listen 127.0.0.1:{port} backlog=4096 reuseport;
        root {root};
        {location}
    }}
}}
"""

CACHE_PATH = "proxy_cache_path {work}/cache levels=1:2 keys_zone=bench:64m max_size=20g inactive=1d use_temp_path=off;"
CACHE_LOCATION = """
        location / {{
            slice 4m;
            proxy_pass http://127.0.0.1:{origin};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Range $slice_range;
            proxy_cache bench;
            proxy_cache_key $uri$slice_range;
            proxy_cache_valid 200 206 1d;
            proxy_cache_lock on;
        }}
"""

HAWKER = """
listen: ["127.0.0.1:0"]
admin: {{ listen: "127.0.0.1:0" }}
cache: {{ directory: "{work}/cache", max_size: 20GiB }}
destinations: {{ allow: ["127.0.0.0/8"] }}
log: {{ access: false }}
rules:
  - name: bench
    match: '^http://127\\.0\\.0\\.1:{origin}/'
    access: shared
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what: str, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.02)
    raise TimeoutError(what)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tree(pid: int) -> list[int]:
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [p for child in children for p in tree(int(child))]


class Peer:
    """A server under test. `target(path)` is what stands in the request line when one asks it for `path` of the origin."""

    def __init__(self, name: str, port: int, process: subprocess.Popen, prefix: str = ""):
        self.name, self.port, self.process, self.prefix = name, port, process, prefix

    def target(self, path: str) -> str:
        return self.prefix + path

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in tree(self.process.pid):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def reset_peak(self):
        for pid in tree(self.process.pid):
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_mib(self) -> float:
        kib = 0
        for pid in tree(self.process.pid):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            kib += int(re.search(r"VmHWM:\s+(\d+)", status).group(1))
        return kib / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_nginx(name: str, work: pathlib.Path, root: pathlib.Path, origin: int | None = None) -> Peer:
    work.mkdir()
    port = free_port()
    config = work / "nginx.conf"
    cached = origin is not None
    config.write_text(NGINX.format(
        work=work, port=port, root=root, cache_path=CACHE_PATH.format(work=work) if cached else "",
        location=CACHE_LOCATION.format(origin=origin) if cached else ""))
    process = subprocess.Popen(["/usr/sbin/nginx", "-e", str(work / "error.log"), "-c", str(config)])
    wait_until(lambda: answers(port), f"{name} does not listen")
    return Peer(name, port, process)


def start_hawker(work: pathlib.Path, hawkerd: str, origin: int) -> Peer:
    work.mkdir()
    config, log = work / "hawker.yaml", work / "log"
    config.write_text(HAWKER.format(work=work, origin=origin))
    with open(log, "wb") as out:
        process = subprocess.Popen([hawkerd, "--config", str(config)], stdout=out, stderr=out)
    found = wait_until(lambda: re.search(r"listening proxy=127\.0\.0\.1:(\d+)", log.read_text()), "hawkerd does not listen")
    return Peer("hawker", int(found.group(1)), process, prefix=f"http://127.0.0.1:{origin}")

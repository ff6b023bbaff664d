"""The load: bodies are drained in the kernel (MSG_TRUNC), so that the client is not what is measured."""

import re
import socket
import subprocess
import tempfile
import threading
import time

WINDOW = 4 << 20


class Download:
    """What one transfer showed."""

    def __init__(self, length: int, first_byte: float):
        self.length, self.first_byte = length, first_byte


def fetch(port: int, host: str, target: str, extra: str = "") -> Download:
    """GETs `target` over a fresh connection and drops the body uncopied."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            got = client.recv(65536)
            if not got:
                raise ConnectionError(f"no answer to {target}: {head[:200]!r}")
            head += got
        first_byte = time.monotonic() - start
        head, _, begun = head.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if status not in (200, 206):
            raise ConnectionError(f"{target}: {head[:300]!r}")
        length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
        left = length - len(begun)
        scratch = bytearray(WINDOW)
        while left > 0:
            got = client.recv_into(scratch, min(left, WINDOW), socket.MSG_TRUNC)
            if got == 0:
                raise ConnectionError(f"{target}: {left} bytes short")
            left -= got
    return Download(length, first_byte)


def fetch_together(count: int, job) -> float:
    """Runs `job(i)` on `count` threads at once; seconds until the last is done."""
    errors, barrier = [], threading.Barrier(count + 1)

    def run(i):
        barrier.wait()
        try:
            job(i)
        except Exception as error:  # noqa: BLE001 - whatever it was, the run is void
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = time.monotonic()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.monotonic() - start


LUA = """
local count = {objects}
local i = 0
function request()
    i = (i + 7919) % count
    return wrk.format("GET", "{prefix}/{name}/" .. i, {{ ["Host"] = "{host}" }})
end
"""


def requests_per_second(port: int, host: str, prefix: str, name: str, objects: int, seconds: int) -> tuple[float, float]:
    """wrk with 64 keep-alive connections over `objects` objects: requests/s and the 99th percentile in ms."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA.format(objects=objects, prefix=prefix, name=name, host=host))
        script.flush()
        out = subprocess.run(["wrk", "-t", "1", "-c", "64", "-d", f"{seconds}s", "--latency", "-s", script.name,
                              f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise ConnectionError(out)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    tail, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return rate, float(tail) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]

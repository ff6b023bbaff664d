"""The load, as a program of its own (load.cpp): what it is asked to do and what it saw."""

import json
import pathlib
import subprocess
import time
from types import SimpleNamespace

PROGRAM = pathlib.Path("build/release/bench/bench_load").absolute()


def signature() -> str:
    """The query of a presigned URL (AWS Signature Version 4), another one for each request."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F" + now[:8] + "%2Fus-east-1%2Fs3%2Faws4_request"
            f"&X-Amz-Date={now}&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature={{n}}")


def run(server, target: str, host: str, **options) -> SimpleNamespace:
    """requests, bytes, seconds, p50_ms, p99_ms, first_byte_p50_ms, first_byte_max_ms, cpu_seconds (its own). Options as load_main.cpp has them."""
    return finish(start(server, target, host, **options))


def start(server, target: str, host: str, **options) -> subprocess.Popen:
    words = [PROGRAM, "--port", server.port, "--host", host]
    if target:
        words += ["--target", server.prefix + target]
    for name, value in options.items():
        if value is not False:
            words.append("--" + name.replace("_", "-"))
        if not isinstance(value, bool):
            words.append(value)
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.server = server
    return process


def finish(process: subprocess.Popen, longest: float | None = None) -> SimpleNamespace:
    """TimeoutError for a load that is not through after `longest` seconds; it is ended."""
    try:
        out, complaint = process.communicate(timeout=longest)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise TimeoutError(f"not through after {longest:.1f} s") from error
    if process.returncode != 0:
        raise ConnectionError(f"{complaint.strip()[:500]} (the server's last words: {process.server.last_words() or 'none'})")
    return SimpleNamespace(**json.loads(out))

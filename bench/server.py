"""A server under measurement: what it costs, and how it is stopped."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import time


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what: str, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.002)
    raise TimeoutError(what)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def children_of(task: pathlib.Path) -> list[str]:
    """Of one thread, which may have ended just now."""
    try:
        return (task / "children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def tree(pid: int) -> list[int]:
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return []
    return [pid] + [p for task in tasks for child in children_of(task) for p in tree(int(child))]


class Server:
    """`prefix` stands before the path in the request line: a forward proxy is asked for a whole URL. `begun`: when it was started."""

    def __init__(self, name: str, port: int, process: subprocess.Popen, prefix: str = "", begun: float = 0):
        self.name, self.port, self.process, self.prefix, self.begun = name, port, process, prefix, begun

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in tree(self.process.pid):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def keep_to(self, cores):
        """All its threads, and those to come."""
        for pid in tree(self.process.pid):
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(thread), cores)

    def reset_peak(self):
        for pid in tree(self.process.pid):
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def _status(self, field: str) -> float:
        kib = 0
        for pid in tree(self.process.pid):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            kib += int(re.search(rf"{field}:\s+(\d+)", status).group(1))
        return kib / 1024

    def peak_mib(self) -> float:
        return self._status("VmHWM")

    def private_mib(self) -> float:
        """Without pages of files, which the kernel takes back when it wants them."""
        return self._status("RssAnon")

    def descriptors(self) -> int:
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in tree(self.process.pid))

    def last_words(self) -> str:
        """The end of its output, while it runs."""
        with contextlib.suppress(OSError):
            return " | ".join(pathlib.Path(f"/proc/{self.process.pid}/fd/2").read_text(errors="replace").splitlines()[-3:])
        return ""

    def end(self):
        """kill -9: its files go with it, and Squid and Traffic Server take a second over any other way."""
        for pid in tree(self.process.pid) if self.process.poll() is None else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    close = end


class Meter:
    """What a server costs from here on. `direct` is no process of ours: of it there is nothing to tell."""

    def __init__(self, server: Server):
        self.server = server
        if server.process.pid:
            server.reset_peak()
            self.begun = server.cpu_seconds()

    def costs(self, unit: str = "", amount: float = 1) -> dict:
        """Peak memory; and CPU, in the given unit, for each of `amount`."""
        if not self.server.process.pid:
            return {}
        measured = {unit: (self.server.cpu_seconds() - self.begun) * (1e6 if "µs" in unit else 1) / amount} if unit else {}
        return measured | {"peak MiB": self.server.peak_mib()}

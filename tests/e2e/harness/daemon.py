"""hawkerd as a black box: started with a configuration, watched through its log, its admin API and /proc."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

from harness import raw
from harness.names import machine
from harness.rules import default_rules
from harness.secrets import assert_none_in
from harness.waiting import eventually, patience
from harness.yaml_text import configuration

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("HAWKERD", REPOSITORY / "build/release/hawkerd"))

DEFAULTS = {
    "listen": ["127.0.0.1:0"],
    "admin.listen": ["127.0.0.1:0"],
    "threads": 2,
    "cache.max_size": "16GiB",
    "cache.min_free": "64MiB",
    "cache.commit_interval": "50ms",
    "destinations.allow": ["127.0.0.0/8", machine()[1] + "/32"],
    "drain_timeout": "2s",
    "log.level": "info",
    "log.format": "json",
}

# What a sanitizer or a failed assertion leaves behind.
DISASTERS = ("ERROR: AddressSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "ERROR: LeakSanitizer",
             "Assertion `", "terminate called")

def is_sanitized():
    """A sanitizer's own memory says nothing about ours."""
    program = BINARY.read_bytes() if BINARY.exists() else b""
    return b"__asan_init" in program or b"__tsan_init" in program


started = []  # every Hawker of this session, for the search for secrets at its end


class Hawker:
    """One configuration and one cache directory; it can be started any number of times."""

    def __init__(self, folder, options=None, rules=None, wrapper=()):
        self.folder = folder
        self.options = {**DEFAULTS, "cache.directory": str(folder / "cache"), **(options or {})}
        self.rules = default_rules() if rules is None else rules
        self.config = folder / "hawker.yaml"
        self.log_file = folder / "hawkerd.log"
        self.wrapper = list(wrapper)
        self.process = None
        self.pid = None
        self.admin_answers = []
        self._log_start = 0
        started.append(self)

    # Life ---------------------------------------------------------------------------------------------------------------

    def write_config(self):
        self.config.write_text(configuration(self.options, self.rules))

    def start(self):
        self.write_config()
        self._log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            command = [*self.wrapper, str(BINARY), "--config", str(self.config)]
            # The machine's own certificate authority, if it has one, is none of ours.
            environment = {**os.environ, "STATE_DIRECTORY": str(self.folder / "state")}
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        found = eventually(self._listening, f"'listening proxy=' in {self.log_file}", within=20)
        self.proxies = found["proxy"].split(",")  # as the log has them
        self.proxy = _first_plain(self.proxies)
        self.admin = _first_plain(found["admin"].split(","))
        # Of mirrors, in the order of the configuration: what clients take for the origin.
        self.mirrors = [name if "://" in name else f"http://{name}"
                        for name in re.findall(r"mirror [\w-]+=(\S+) of ", self.log())]
        self.pid = int(found["pid"])
        self.proxy_url = f"http://{self.proxy[0]}:{self.proxy[1]}" if self.proxy else None
        return self

    def _listening(self):
        if self.process.poll() is not None:
            raise AssertionError(f"hawkerd ended with {self.process.returncode}:\n{self.log()[-4000:]}")
        return re.search(r"listening proxy=(?P<proxy>[^\s\"]+) admin=(?P<admin>[^\s\"]*) pid=(?P<pid>\d+)", self.log())

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9: nothing is flushed, nothing is tidied."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        self.assert_no_secret()

    def terminate(self):
        os.kill(self.pid, signal.SIGTERM)

    def stop(self, within=60):
        """SIGTERM, then the exit code."""
        self._remember_admin()
        self.terminate()
        code = self.process.wait(patience(within))
        self.assert_no_secret()
        return code

    def restart(self):
        """On the same cache directory, after kill() or stop()."""
        return self.start()

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def finish(self):
        """At the end of a test: whatever happened, no process stays; a crash or a bad end fails the test."""
        if self.process is None:
            return
        ended_by_test = self.process.returncode is not None
        try:
            if not ended_by_test:
                code = self.process.poll() if not self.alive() else self.stop()
                assert code == 0, f"hawkerd ended with {code}:\n{self.log()[-6000:]}"
        finally:
            if self.alive():
                self.kill()
            # Bodies add up to gigabytes; the log and the configuration stay.
            shutil.rmtree(self.options["cache.directory"], ignore_errors=True)
        self.assert_no_secret()
        for disaster in DISASTERS:
            assert disaster not in self.log(), self.log()[-8000:]

    def assert_no_secret(self):
        """At the end of each life: nothing that it ever printed, and no file that it logs to, holds a planted secret. Admin
        answers and error pages are searched when they arrive."""
        assert_none_in(self.all_output(), self.log_file)
        own = pathlib.Path(self.options.get("log.file") or self.log_file)
        for file in own.parent.glob(f"{own.name}*"):
            assert_none_in(file.read_bytes().decode("utf-8", "replace"), file)

    def _remember_admin(self):
        for path in ("/metrics", "/tasks"):
            try:
                self.admin_answers.append(self.get_admin(path))
            except OSError:
                pass

    # What it says -------------------------------------------------------------------------------------------------------

    def log(self):
        """The log of this run; all_output() has those of earlier runs too."""
        return self.all_output()[self._log_start :]

    def all_output(self):
        return self.log_file.read_bytes().decode("utf-8", "replace") if self.log_file.exists() else ""

    def log_line(self, pattern, within=10.0):
        """The first log line that `pattern` matches, waiting for it."""
        return eventually(lambda: next((line for line in self.log().splitlines() if re.search(pattern, line)), None),
                          f"a log line like {pattern!r} in\n{self.log()[-3000:]}\n", within)

    def exchanges(self):
        """The access log."""
        return [line for line in map(_json_object, self.log().splitlines()) if line and "source" in line]

    def exchange(self, path, within=10.0, **fields):
        """The latest access line whose URL holds `path` and whose fields are these, waiting for it."""

        def match():
            return [line for line in self.exchanges() if path in line["url"] and fields.items() <= line.items()]

        return eventually(match, f"an access line for {path} with {fields} in\n{self.log()[-3000:]}\n", within)[-1]

    def get_admin(self, path, method="GET"):
        request = urllib.request.Request(f"http://{self.admin[0]}:{self.admin[1]}{path}", method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=patience(20)) as response:
                answer = response.read().decode()
        except urllib.error.HTTPError as refusal:
            assert_none_in(refusal.read().decode("utf-8", "replace"), f"the admin's refusal of {path}")
            raise
        assert_none_in(answer, f"the admin's answer to {path}")
        return answer

    def metrics(self):
        """Prometheus samples by their name with labels."""
        lines = (line.rsplit(" ", 1) for line in self.get_admin("/metrics").splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    def tasks(self):
        answer = json.loads(self.get_admin("/tasks"))
        return answer["tasks"] if isinstance(answer, dict) else answer

    def task(self, key):
        """The entry of one task ID, or None."""
        return next((task for task in self.tasks() if key in task.values()), None)

    def memory(self, field="VmRSS"):
        """Bytes, from /proc; "VmHWM" is the most there ever was."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024

    # Asking it ----------------------------------------------------------------------------------------------------------

    def connect(self, **options):
        return raw.Connection(self.proxy, **options)

    def fetch(self, url, method="GET", headers=None, body=None, **reading):
        """One request on a connection of its own; the whole response."""
        with self.connect() as connection:
            connection.request(method, url, headers, body)
            return connection.response(method, **reading)

    def fetch_until_stored(self, url, **more):
        """Fetches, and waits until the object is complete in the index: the next fetch can only be a hit."""
        response = self.fetch(url, **more)
        self.wait_until_stored(response)
        return response

    def disk_used(self):
        """Bytes of the disk that the cached bodies take: of files with several names once."""
        files = {}
        for path in pathlib.Path(self.options["cache.directory"]).glob("pieces/*/*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            files[status.st_ino] = status.st_blocks * 512
        return sum(files.values())

    def wait_until_idle(self):
        """Nothing is being fetched."""
        eventually(lambda: not any(task.get("fetching") for task in self.tasks()), f"no fetch in {self.tasks()}")

    def wait_until_all_is_stored(self):
        """Every object that was asked for is complete in the index."""
        eventually(lambda: (tasks := self.tasks()) and all(task["complete"] for task in tasks), f"all complete in {self.tasks()}")

    def wait_until_stored(self, response):
        key = response.cache_status["key"]
        eventually(lambda: (task := self.task(key)) and task.get("complete"), f"task {key} complete in {self.tasks()}")


def _first_plain(names):
    """(host, port) of the first listener on IPv4 without TLS; None when there is none."""
    for name in names:
        if plain := re.fullmatch(r"([\d.]+):(\d+)", name):
            return plain[1], int(plain[2])
    return None


def _json_object(line):
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None

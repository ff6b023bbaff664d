#!/usr/bin/env python3
"""hawker beside nginx, Squid, Traffic Server and Varnish, interleaved in one run.

    run.py --hawkerd build/release/hawkerd [--quick] [--only W1,W5] [--json FILE]

Only ratios within one run mean anything. Everything runs in a network namespace with nothing but loopback, because a loopback
under BBR is paced. CPU is user + system of the server's processes; memory is their peak.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import table
from workloads import cold, connections, growth, hits, misses

MIB = 1 << 20
WORKLOADS = {"W1": hits.large, "W2": hits.small, "W3": hits.signed, "W4": hits.ranges, "W5": misses.one_client,
             "W6": misses.paced_origin, "W7": misses.crowd, "W8": connections.idle_and_slow, "W9": connections.tunnels,
             "W10": hits.intercepted, "W12": growth.growth, "W13": cold.beside_hot}
PEERS = ("nginx", "squid", "trafficserver", "varnish")


def enter_namespace():
    """Starts this program again in namespaces of its own: nothing but loopback, and whatever is left running ends with it."""
    if os.environ.get("HAWKER_BENCH_NAMESPACE"):
        return
    options = ["-n", "-p", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        options.append("-r")
    script = "ulimit -n $(ulimit -Hn); ip link set lo up; sysctl -qw net.ipv4.ip_local_port_range='1024 65535'; " \
             "sysctl -qw net.ipv4.tcp_congestion_control=cubic 2>/dev/null || " \
             "sysctl -qw net.ipv4.tcp_congestion_control=reno; exec \"$@\""
    os.environ["HAWKER_BENCH_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", *options, "sh", "-c", script, "sh", sys.executable, *sys.argv])


class Bench:
    """What the workloads share: how long, how often, the objects, and where results go."""

    def __init__(self, work: pathlib.Path, hawkerd: str, quick: bool, beside: list[str], sizes: list[int]):
        self.work, self.hawkerd, self.quick, self.beside = work, hawkerd, quick, beside
        self.sizes = sizes or ([2_000, 10_000] if quick else [10_000, 100_000, 1_000_000])
        self.rounds = 3
        self.turns, self.turn_seconds = (5, 0.25) if quick else (7, 1)  # hits: a second's pace is not the next one's
        self.few = 2 if quick else 3  # turns of those that hawker is not compared to
        self.large = (256 if quick else 1024) * MIB
        self.crowd = self.large // 4  # what many want at once
        self.small_objects = 500 if quick else 10_000
        self.table = table.Table()
        self.folders = []
        self.root = work / "root"
        self._make_objects()

    def _make_objects(self):
        self.root.mkdir()
        block = os.urandom(MIB)
        with open(self.root / "large", "wb") as file:
            for i in range(self.large // MIB):
                file.write(i.to_bytes(8, "big") + block[8:])
        for name, size in (("crowd", self.crowd), ("paced", 256 * MIB)):
            with open(self.root / "large", "rb") as source, open(self.root / name, "wb") as file:
                for _ in range(size // MIB):
                    file.write(source.read(MIB))
        for i in range(self.rounds):
            os.link(self.root / "large", self.root / f"cold{i}")
            (self.root / f"few{i}").mkdir()
            for j in range(16):
                os.link(self.root / "large", self.root / f"few{i}" / str(j))
        for name, size in (("4k", 4096), ("64k", 65536)):
            (self.root / name).mkdir()
            for i in range(self.small_objects):
                (self.root / name / str(i)).write_bytes(i.to_bytes(8, "big") + block[8:size])

    def folder(self, name: str) -> pathlib.Path:
        """A fresh one for one server."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=self.work))
        folder.chmod(0o755)
        self.folders.append(folder)
        return folder / "server"

    def fill_page_cache(self):
        """As on a machine that has been a cache for a while: what is stored takes the place of something older. Memory that nobody has
        touched yet costs several µs a page where a hypervisor has to find it first; whoever writes files would pay that, and for them all."""
        free = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemFree:")) * 1024
        block = bytearray(MIB)
        with open(self.work / "older", "ab+", buffering=0) as file:  # a hole: no disk takes part
            place = file.seek(0, os.SEEK_END)
            file.truncate(place + free)
            while file.readinto(block):
                pass

    def forget_folders(self, since: int):
        """Those that came after the first `since`: their servers have stopped."""
        for folder in self.folders[since:]:
            shutil.rmtree(folder, ignore_errors=True)
        del self.folders[since:]

    def interleave(self, workload: str, contestants: list, measure, base: str, rounds: int | None = None,
                   few: int | None = None):
        """Rounds of A B C A B C; `measure(contestant, round)` gives unit → value. hawker and those it is compared to take
        part in all of them, the others in `few`, evenly among them."""
        samples = {contestant.name: {} for contestant in contestants}
        rounds, few = rounds or self.rounds, few or self.few
        for round_number in range(rounds):
            has_all = round_number * few // rounds != (round_number - 1) * few // rounds
            for contestant in contestants:
                if not has_all and contestant.name not in ("hawker", base, *table.STATIC):
                    continue
                try:
                    measured = measure(contestant, round_number)
                except ConnectionError as error:
                    raise ConnectionError(f"{contestant.name}: {error}") from error
                for unit, value in measured.items():
                    samples[contestant.name].setdefault(unit, []).append(value)
        self.table.add(workload, samples, base)


def version(command: list[str], line: int = 0) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[line] if lines else "not found"


def machine(hawkerd: str) -> dict:
    cpu = next(line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
               if line.startswith("model name"))
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024
    return {"date": datetime.date.today().isoformat(), "cpu": cpu, "cores": os.cpu_count(), "memory_gib": memory,
            "kernel": os.uname().release,
            "versions": {"hawker": version([hawkerd, "--version"]), "nginx": version(["/usr/sbin/nginx", "-v"]),
                         "squid": version(["/usr/sbin/squid", "-v"]),
                         "trafficserver": version(["/usr/bin/traffic_server", "-V"]),
                         "varnish": version(["/usr/sbin/varnishd", "-V"])}}


def workloads_of(only: str, arguments: argparse.ArgumentParser) -> list[str]:
    """Those named, or all; W11 is measured with W12."""
    names = list(dict.fromkeys("W12" if name == "W11" else name for name in only.split(","))) if only else list(WORKLOADS)
    for name in names:
        if name not in WORKLOADS:
            arguments.error(f"--only: there is no {name!r}; there are {', '.join([*WORKLOADS, 'W11 (with W12)'])}")
    return names


def say(line: str):
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hawkerd", required=True)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--only", default="", help="workloads, separated by commas")
    arguments.add_argument("--peers", default=",".join(PEERS), help="beside hawker, separated by commas")
    arguments.add_argument("--grow", default="", help="W12's numbers of objects, separated by commas; 10 k, 100 k and 1 M")
    arguments.add_argument("--json", type=pathlib.Path)
    options = arguments.parse_args()
    names = workloads_of(options.only, arguments)
    for name in set(options.peers.split(",")) - set(PEERS):
        arguments.error(f"--peers: there is no {name!r}; there are {', '.join(PEERS)}")
    enter_namespace()
    hawkerd = os.path.abspath(options.hawkerd)
    work = pathlib.Path(tempfile.mkdtemp(prefix="hawker-bench-"))
    work.chmod(0o755)
    failed = []
    bench = Bench(work, hawkerd, options.quick, options.peers.split(","),
                  [int(size) for size in options.grow.split(",") if size])
    try:
        for name in names:
            begun = time.monotonic()
            say(WORKLOADS[name].__doc__.splitlines()[0])
            try:
                WORKLOADS[name](bench)
            except Exception as error:  # noqa: BLE001 - the others are measured all the same
                failed.append(f"{name}: {type(error).__name__}: {error}")
                say(failed[-1])
            bench.forget_folders(0)
            bench.table.print_new()
            say(f"{name} took {time.monotonic() - begun:.0f} s")
        bench.table.print_verdicts()
        if options.json:
            options.json.parent.mkdir(exist_ok=True)
            options.json.write_text(json.dumps({"machine": machine(hawkerd), "quick": options.quick,
                                                "rows": bench.table.rows, "verdicts": bench.table.verdicts,
                                                "failed": failed}, indent=1, ensure_ascii=False) + "\n")
            say(f"{options.json} has the numbers")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

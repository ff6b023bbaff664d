#!/usr/bin/env python3
"""hawker beside nginx (static files) and nginx (proxy_cache with slice), interleaved in one run.

    run.py --hawkerd build/release/hawkerd [--quick] [--json FILE]

Only ratios within one run mean anything. Everything runs in a network namespace with nothing but loopback, because a loopback
under BBR is paced. CPU is user + system of the server's processes; memory is their peak.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile

import clients
import peers

MIB = 1 << 20


def enter_namespace():
    """Starts this program again in a network namespace of its own."""
    if os.environ.get("HAWKER_BENCH_NAMESPACE"):
        return
    options = ["-n"] if os.geteuid() == 0 else ["-r", "-n"]
    script = "ip link set lo up && sysctl -qw net.ipv4.tcp_congestion_control=cubic; exec \"$@\""
    os.environ["HAWKER_BENCH_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", *options, "sh", "-c", script, "sh", sys.executable, *sys.argv])


class Bench:
    def __init__(self, work: pathlib.Path, hawkerd: str, quick: bool):
        self.work, self.quick = work, quick
        self.rounds = 3 if quick else 5
        self.large = (256 if quick else 1024) * MIB
        self.small_objects = 500 if quick else 10_000
        self.root = work / "root"
        self.make_objects()
        self.origin = peers.start_nginx("origin", work / "origin", self.root)
        self.static = peers.start_nginx("nginx static", work / "static", self.root)
        self.cached = peers.start_nginx("nginx proxy_cache+slice", work / "cached", self.root, origin=self.origin.port)
        self.hawker = peers.start_hawker(work / "hawker", hawkerd, self.origin.port)
        self.contestants = [self.static, self.cached, self.hawker]
        self.host = f"127.0.0.1:{self.origin.port}"
        self.rows = []

    def make_objects(self):
        self.root.mkdir()
        block = os.urandom(MIB)
        with open(self.root / "large", "wb") as file:
            for i in range(self.large // MIB):
                file.write(i.to_bytes(8, "big") + block[8:])
        for i in range(16):
            os.link(self.root / "large", self.root / f"cold{i}")
        for name, size in (("4k", 4096), ("64k", 65536)):
            (self.root / name).mkdir()
            for i in range(self.small_objects):
                (self.root / name / str(i)).write_bytes(i.to_bytes(8, "big") + block[8:size])

    def fetch(self, peer, path):
        return clients.fetch(peer.port, self.host, peer.target(path))

    def add(self, workload: str, unit: str, values: dict, better: str):
        base = statistics.median(values["nginx static"]) if "nginx static" in values else \
            statistics.median(values["direct"])
        for name, samples in values.items():
            middle = statistics.median(samples)
            self.rows.append({"workload": workload, "unit": unit, "better": better, "peer": name, "median": middle,
                              "min": min(samples), "max": max(samples), "ratio": middle / base if base else 0})

    def large_hits(self):
        for peer in self.contestants:
            self.fetch(peer, "/large")
        for count in (1, 8, 64):
            rate, cpu, memory = ({p.name: [] for p in self.contestants} for _ in range(3))
            pulls = max(1, (4 if self.quick else 16) // count)
            for _ in range(self.rounds):
                for peer in self.contestants:
                    peer.reset_peak()
                    before = peer.cpu_seconds()
                    seconds = clients.fetch_together(count, lambda _: [self.fetch(peer, "/large") for _ in range(pulls)])
                    gib = count * pulls * self.large / 2**30
                    rate[peer.name].append(gib / seconds)
                    cpu[peer.name].append((peer.cpu_seconds() - before) / gib)
                    memory[peer.name].append(peer.peak_mib())
            self.add(f"large hit, {count} clients", "GiB/s", rate, "more")
            self.add(f"large hit, {count} clients", "CPU s/GiB", cpu, "less")
            self.add(f"large hit, {count} clients", "peak MiB", memory, "less")

    def small_hits(self):
        for name in ("4k", "64k"):
            for peer in self.contestants:
                for i in range(self.small_objects):
                    self.fetch(peer, f"/{name}/{i}")
            rate, tail = ({p.name: [] for p in self.contestants} for _ in range(2))
            for _ in range(self.rounds):
                for peer in self.contestants:
                    per_second, p99 = clients.requests_per_second(
                        peer.port, self.host, peer.prefix, name, self.small_objects, 2 if self.quick else 5)
                    rate[peer.name].append(per_second)
                    tail[peer.name].append(p99)
            self.add(f"small hit, {name}", "requests/s", rate, "more")
            self.add(f"small hit, {name}", "p99 ms", tail, "less")

    def cold_misses(self):
        """A new object each round; `direct` asks the origin itself."""
        direct = peers.Peer("direct", self.origin.port, self.origin.process)
        seconds = {name: [] for name in ("direct", self.cached.name, self.hawker.name)}
        first = {name: [] for name in seconds}
        for i in range(self.rounds):
            for peer in (direct, self.cached, self.hawker):
                seen = []
                seconds[peer.name].append(
                    clients.fetch_together(1, lambda _: seen.append(self.fetch(peer, f"/cold{i}"))))
                first[peer.name].append(seen[0].first_byte * 1e3)
        self.add("cold miss, 1 client", "s", seconds, "less")
        self.add("cold miss, 1 client", "first byte ms", first, "less")

    def print_table(self):
        print(f"\n{'workload':22} {'unit':14} {'peer':24} {'median':>10} {'min':>10} {'max':>10} {'ratio':>7}")
        last = None
        for row in self.rows:
            key = (row["workload"], row["unit"])
            label = key if key != last else ("", "")
            print(f"{label[0]:22} {label[1]:14} {row['peer']:24} {row['median']:10.3f} {row['min']:10.3f} "
                  f"{row['max']:10.3f} {row['ratio']:7.2f}")
            last = key
        print("\nratio: to nginx serving the file statically; for cold misses, to asking the origin directly.")

    def stop(self):
        for peer in [*self.contestants, self.origin]:
            peer.stop()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--hawkerd", required=True)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--json", type=pathlib.Path)
    options = arguments.parse_args()
    enter_namespace()
    work = pathlib.Path(tempfile.mkdtemp(prefix="hawker-bench-"))
    work.chmod(0o755)
    bench = Bench(work, os.path.abspath(options.hawkerd), options.quick)
    try:
        bench.large_hits()
        bench.small_hits()
        bench.cold_misses()
        bench.print_table()
        if options.json:
            options.json.write_text(json.dumps(bench.rows, indent=1))
    finally:
        bench.stop()
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

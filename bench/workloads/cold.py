"""W13: what is on the disk alone, read while others read what is in memory."""

import os
import threading

import load
from server import Meter
from workloads import hits

MIB = 1 << 20
COLD_SIZE = 8 * MIB
PACE = 200 * MIB  # a second, of all cold clients: a rate that every contestant can give


class Chill:
    """with Chill(folder): every few milliseconds the page cache forgets the files under `folder`, as in a cache far larger than memory."""

    def __init__(self, folder):
        self._folder, self._over = folder, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        files = [os.open(path, os.O_RDONLY) for path in self._folder.rglob("*")
                 if path.is_file() and path.stat().st_size >= COLD_SIZE // 8]
        os.sync()  # what is not written yet cannot be forgotten
        while not self._over.wait(0.005):
            for file in files:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        for file in files:
            os.close(file)


def read_all(server, host, count):
    load.run(server, "/cold/{i}", host, objects=count, connections=4, requests=count // 4 + 1)


def beside_hot(bench):
    """W13: 4 clients read random MiB of files that are not in memory; what the readers of hot small objects notice."""
    count = 32 if bench.quick else 128
    (bench.root / "cold").mkdir()
    with open(bench.root / "large", "rb") as source:
        for i in range(count):
            (bench.root / "cold" / str(i)).write_bytes(source.read(COLD_SIZE - 8) + i.to_bytes(8, "big"))
            source.seek(0)
    bench.beside, everybody = [name for name in bench.beside if name == "nginx"], bench.beside
    try:
        with hits.started(bench) as (host, contestants):
            folders = dict(zip((server.name for server in contestants), bench.folders[-len(contestants):]))
            other = contestants.pop(0)
            folders[other.name] = bench.root / "cold"  # nginx static has no files of its own
            for server in contestants:
                for _ in range(2):
                    read_all(server, host, count)
                    load.run(server, "/4k/{i}", host, objects=100, connections=4, requests=50)

            def measure(server, _):
                def hot():
                    return load.run(server, "/4k/{i}", host, objects=100, connections=16, seconds=bench.turn_seconds)

                def beside(reads_of, **pace):
                    reads = load.start(reads_of, "/cold/{i}", host, objects=count, connections=4, range=MIB, size=COLD_SIZE,
                                       seconds=bench.turn_seconds, **pace)
                    return hot(), load.finish(reads)

                def beside_cold(reads_of, **pace):
                    with Chill(folders[reads_of.name]):
                        return beside(reads_of, **pace)
                meter = Meter(server)
                alone = hot().p99_ms
                read_all(server, host, count)
                in_memory, _ = beside(server, rate=PACE)
                cold, _ = beside_cold(server, rate=PACE)
                others, _ = beside_cold(other, rate=PACE)
                unpaced, read = beside_cold(server)
                return {"hot p99 ms, alone": alone, "hot p99 ms, beside": cold.p99_ms,
                        "hot p99, × alone": cold.p99_ms / alone,
                        "hot p99, × alone, read from memory": in_memory.p99_ms / alone,
                        "hot p99, × alone, read from another server": others.p99_ms / alone,
                        "hot p99, × alone, unpaced": unpaced.p99_ms / alone,
                        "hot requests, unpaced, × paced": unpaced.requests / cold.requests,
                        "cold GiB/s, unpaced": read.bytes / 2**30 / read.seconds, "cold p99 ms, unpaced": read.p99_ms,
                        **meter.costs()}
            workload = "W13 hot beside cold"
            bench.interleave(workload, contestants, measure, "hawker")
            bench.table.must(workload, "hot p99, × alone", bench.table.median(workload, "hot p99, × alone", "hawker"), 2, False)
    finally:
        bench.beside = everybody

"""W5 to W7: what has to be fetched first."""

import contextlib
import signal
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import load
import origin as origins
import peers
from server import Meter, Server
from table import AtLeast

GIB = 1 << 30
MIB = 1 << 20
PATIENCE = 2  # × direct's time, for those who are slower than no cache at all


def fresh(bench, port: int, measure):
    """A measure for interleave(): a cache is started for it and its files are gone afterwards, so nothing is written back
    meanwhile; and what was freed by that belongs to the page cache before the next one comes."""
    def of(contestant, number):
        if contestant.name == "direct":
            return measure(Server("direct", port, SimpleNamespace(pid=0)), number)
        bench.fill_page_cache()
        others = len(bench.folders)
        if contestant.name == "hawker":
            server = peers.start_hawker(bench.folder("hawker"), bench.hawkerd, [port], [443])
        else:
            server = peers.start(bench, contestant.peer, port, slice_size="4m")
        try:
            return measure(server, number)
        finally:
            server.end()
            bench.forget_folders(others)
    return of


def contestants_of(bench) -> list:
    slices = {"nginx": "nginx slice"}
    return [SimpleNamespace(name="direct")] + [SimpleNamespace(name=slices.get(peer, peer), peer=peer) for peer in bench.beside] \
        + [SimpleNamespace(name="hawker")]


@contextlib.contextmanager
def before(bench, port: int, extra: str = ""):
    """Fresh caches before the origin at `port`, and the origin itself as `direct`. `extra`: of hawker's configuration."""
    running = []
    bench.fill_page_cache()
    try:
        for name in bench.beside:
            running.append(peers.start(bench, name, port, slice_size="4m"))
        running.append(peers.start_hawker(bench.folder("hawker"), bench.hawkerd, [port], [443], extra))
        yield [Server("direct", port, SimpleNamespace(pid=0))] + running
    finally:
        for server in running:
            server.end()


def timed(server, target, host) -> dict:
    meter = Meter(server)
    seen = load.run(server, target, host, connections=1, requests=1)
    return {"s": seen.seconds, "first byte ms": seen.first_byte_max_ms, **meter.costs("CPU s/GiB", seen.bytes / GIB)}


def timed_and_more(server, target, host) -> dict:
    """And the median of 16 cold objects' first bytes after it, 8 MiB of each. Of peers it is not asked: some fetch the whole
    object behind a range."""
    measured = timed(server, target, host)
    if server.name in ("direct", "hawker"):
        seen = load.run(server, target.replace("cold", "few") + "/{i}", host, connections=1, requests=16, objects=16, range=8 * MIB, size=8 * MIB,
                        in_order=True)
        measured["first byte ms, later"] = seen.first_byte_p50_ms
    return measured


def check_first_bytes(table, workload):
    for unit, what in (("first byte ms", "first byte, ms after the origin's"),
                       ("first byte ms, later", "a later object's first byte, ms after the origin's")):
        table.must(workload, what, table.median(workload, unit, "hawker") - table.median(workload, unit, "direct"), 1.0, False)


def best(table, workload, unit) -> float:
    """Of the peers; `direct` and hawker are none."""
    return min(row["median"] for row in table.rows
               if row["workload"] == workload and row["unit"] == unit and row["peer"] not in ("direct", "hawker"))


def one_client(bench):
    """W5: one client, one cold object; an origin as fast as it can be, and one 50 ms away behind a link of 6 Gbit/s."""
    table, few = bench.table, 1 if bench.quick else 3  # nginx takes half a minute for its slices, and each start takes its time
    quick_origin = peers.start_nginx("origin", bench.folder("origin"), bench.root)
    try:
        host, workload = f"127.0.0.1:{quick_origin.port}", "W5 cold, fast origin"
        bench.interleave(workload, contestants_of(bench),
                         fresh(bench, quick_origin.port, lambda server, i: timed_and_more(server, f"/cold{i}", host)),
                         "direct", few=few)
        table.must(workload, "s, × best peer", table.median(workload, "s", "hawker") / best(table, workload, "s"), 1.0, False)
        check_first_bytes(table, workload)
    finally:
        quick_origin.end()
    late = origins.Origin(bench.root / "large", link=750 * MIB, delay=0.05)
    host, workload = f"127.0.0.1:{late.port}", "W5 cold, 50 ms to first byte"
    bench.interleave(workload, contestants_of(bench),
                     fresh(bench, late.port, lambda server, i: timed_and_more(server, f"/cold{i}", host)), "direct",
                     few=few)
    table.must_reach(workload, "s", "direct", 1.15)
    check_first_bytes(table, workload)
    late.close()


def paced_origin(bench):
    """W6: an origin that gives one connection 20 MiB/s. Who takes one only waits, side by side with the others; hawker is alone."""
    paced = origins.Origin(bench.root / "paced", pace=20 * MIB)
    try:
        with before(bench, paced.port, "fetch: { connections: 8 }\n") as contestants, \
                ThreadPoolExecutor(len(contestants)) as pool:
            host, workload, under_way = f"127.0.0.1:{paced.port}", "W6 cold, 20 MiB/s a connection", {}

            def measure(server, number):
                target = f"/cold{number}"
                if server.name == "direct":
                    under_way.update({other.name: pool.submit(timed, other, target, host) for other in contestants[:-1]})
                return under_way[server.name].result() if server.name in under_way else timed(server, target, host)
            bench.interleave(workload, contestants, measure, "direct", 1 if bench.quick else bench.rounds)
            bench.table.must_reach(workload, "s", "direct", 1 / 6)
    finally:
        paced.close()


def crowd(bench):
    """W7: 50 clients within 200 ms want one cold object (256 MiB; short runs: 64), each with its own signature."""
    for workload, options, bounds in (
            ("W7 crowd, whole", {}, (0.5, 1.00)), ("W7 crowd, 8 MiB ranges", {"range": 8 * MIB}, (1.1, 1.00)),
            ("W7 crowd, the first leaves", {"leaves": True}, (0.5, 1.00))):
        paced = origins.Origin(bench.root / "crowd", pace=50 * MIB)
        try:
            with before(bench, paced.port) as contestants:
                measure_crowd(bench, workload, contestants, paced, dict(options))
        finally:
            paced.close()
        bench.table.must_reach(workload, "s", "direct", bounds[0])
        bench.table.must(workload, "bytes from the origin, × size",
                         bench.table.median(workload, "origin bytes × size", "hawker"), bounds[1] + 0.001, False)
        bench.table.must(workload, "slowest first byte, ms",
                         bench.table.median(workload, "slowest first byte ms", "hawker"), 20, False)


def measure_crowd(bench, workload, contestants, paced, options):
    size = bench.crowd
    host, leaves, longest = f"127.0.0.1:{paced.port}", options.pop("leaves", False), None
    # Ranges are fetched one after the other, as resuming and segmenting clients do.
    if "range" in options:
        options.update(size=size, in_order=True, requests=size // options["range"])
    else:
        options["requests"] = 1

    def measure(server, number):
        nonlocal longest
        paced.forget()
        meter = Meter(server)
        # A cache that cannot ignore a signature is asked without one: it would fetch 50 times.
        signature = f"?{load.signature()}" if server.name == "hawker" else ""
        target = f"/crowd{number}{signature}"
        first = load.start(server, target, host, requests=1) if leaves else None
        if first is not None:
            paced.wait_for_bytes(8 * MIB)
            first.send_signal(signal.SIGKILL)
            first.wait()
        everybody = load.start(server, target, host, connections=50, within=0.2, **options)
        try:
            seen = load.finish(everybody, longest if server.name != "hawker" else None)
        except TimeoutError:
            measured = {"s": AtLeast(longest), "origin bytes × size": AtLeast(paced.sent / size), **meter.costs()}
            server.end()  # who goes on fetching would disturb the next
            return measured
        if server.name == "direct":
            longest = PATIENCE * seen.seconds
        return {"s": seen.seconds, "slowest first byte ms": seen.first_byte_max_ms,
                "origin bytes × size": paced.sent / size, **meter.costs("CPU s/GiB", seen.bytes / GIB)}
    bench.interleave(workload, contestants, measure, "direct", 1)

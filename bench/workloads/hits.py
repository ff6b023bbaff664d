"""W1 to W4 and W10: what is in the cache already."""

import contextlib
import copy
import pathlib
import subprocess
import urllib.request

import load
import peers
from server import Meter

GIB = 1 << 30
MIB = 1 << 20
FEW = 64  # objects that show what a cache takes for the same
COUNTER = "location = /requests { stub_status; }"


@contextlib.contextmanager
def started(bench, *, small: bool = False):
    """nginx static, nginx with its cache, Squid, Traffic Server, Varnish and hawker before one origin; stopped at the end."""
    running = []

    def also(server):
        running.append(server)
        return server
    try:
        origin = also(peers.start_nginx("origin", bench.folder("origin"), bench.root, location=COUNTER))
        contestants = [also(peers.start_nginx("nginx static", bench.folder("static"), bench.root))]
        for name in bench.beside:
            contestants.append(also(peers.start(bench, name, origin.port, slice_size=None if small else "4m")))
        contestants.append(also(peers.start_hawker(bench.folder("hawker"), bench.hawkerd, [origin.port], [443])))
        yield f"127.0.0.1:{origin.port}", contestants
    finally:
        for server in running:
            server.end()


def warm_up(contestants, host, target, objects=1):
    for server in contestants:
        for _ in range(1 if objects == 1 else 2):  # some keep small objects that they have seen twice
            load.run(server, target, host, objects=objects, connections=min(8, objects), requests=-(-objects // 8))


def costs(server, job) -> dict:
    """What `job` moved, what it cost the server."""
    meter = Meter(server)
    seen = job()
    gib = seen.bytes / GIB
    return {"GiB/s": gib / seen.seconds, **meter.costs("CPU s/GiB", gib), "load's CPU s/GiB": seen.cpu_seconds / gib}


def large(bench):
    """W1: one large object, 1, 8 and 64 clients."""
    with started(bench) as (host, contestants):
        warm_up(contestants, host, "/large")
        for count in (1, 8, 64):
            workload = f"W1 large hit, {count} client{'s' if count > 1 else ''}"
            bench.interleave(workload, contestants, lambda server, _: costs(
                server, lambda: load.run(server, "/large", host, connections=count, seconds=bench.turn_seconds)),
                "nginx static", bench.turns)
            bench.table.must_reach(workload, "GiB/s", "nginx static", 1.0)
            bench.table.must_reach(workload, "CPU s/GiB", "nginx static", 1.0)


def small_hits(bench, contestants, host, name, target, workload):
    bench.interleave(workload, contestants, lambda server, _: rates(
        server, lambda: load.run(server, target, host, objects=bench.small_objects, connections=64,
                                 seconds=bench.turn_seconds)), "nginx cache", bench.turns)


def rates(server, job) -> dict:
    meter = Meter(server)
    seen = job()
    return {"requests/s": seen.requests / seen.seconds, "p99 ms": seen.p99_ms,
            **meter.costs("CPU µs/request", seen.requests),
            "load's CPU µs/request": seen.cpu_seconds / seen.requests * 1e6}


def small(bench):
    """W2: many small objects over 64 connections that stay open."""
    with started(bench, small=True) as (host, contestants):
        for name in ("4k", "64k"):
            warm_up(contestants, host, f"/{name}/{{i}}", bench.small_objects)
            workload = f"W2 small hit, {name}"
            small_hits(bench, contestants, host, name, f"/{name}/{{i}}", workload)
            bench.table.must_reach(workload, "requests/s", "nginx cache", 1.2)
            bench.table.must_reach(workload, "p99 ms", "nginx cache", 1.0)


def asked(host) -> int:
    """How many requests the origin has seen, this one included."""
    with urllib.request.urlopen(f"http://{host}/requests") as answer:
        return int(answer.read().split(b"requests")[1].split()[2])


def signed(bench):
    """W3: the same, every request with a signature of its own; who else can, and by what."""
    with started(bench, small=True) as (host, contestants):
        static, *others, hawker = contestants
        unsigned = copy.copy(hawker)
        unsigned.name = "unsigned"
        for name in ("4k", "64k"):
            warm_up(contestants, host, f"/{name}/{{i}}", bench.small_objects)
            workload = f"W3 fresh signatures, {name}"
            queries = {"signed": load.signature(), "?revision=": "revision={n}"}

            def share_of_origin(server, query) -> float:
                """Its requests for each of the client's."""
                before = asked(host)
                seen = load.run(server, f"/{name}/{{i}}?{query}", host, objects=FEW, connections=8, requests=FEW // 8, seed=1000)
                return (asked(host) - before - 1) / seen.requests
            shares = {server: {f"origin asked, {what}": share_of_origin(server, query) for what, query in queries.items()}
                      for server in [*others, hawker]}  # before misses are under way that nobody waits for

            def measure(server, number):
                target = f"/{name}/{{i}}" + ("" if server is unsigned else f"?{queries['signed']}")
                return shares.pop(server, {}) | rates(server, lambda: load.run(
                    server, target, host, objects=bench.small_objects, connections=64, seconds=bench.turn_seconds,
                    seed=number + 1))
            bench.interleave(workload, [static, *others, unsigned, hawker], measure, "unsigned", bench.turns, few=1)
            bench.table.must_reach(workload, "requests/s", "unsigned", 0.95)


def ranges(bench):
    """W4: random ranges of 1 MiB of a large object, 32 clients."""
    with started(bench) as (host, contestants):
        warm_up(contestants, host, "/large")
        workload = "W4 random ranges"
        bench.interleave(workload, contestants, lambda server, _: costs(server, lambda: load.run(
            server, "/large", host, connections=32, seconds=bench.turn_seconds, range=MIB, size=bench.large)),
            "nginx static", bench.turns)
        bench.table.must_reach(workload, "GiB/s", "nginx static", 1.0)


def self_signed(bench) -> tuple[pathlib.Path, pathlib.Path]:
    """Certificate and key for 127.0.0.1."""
    folder = bench.folder("tls").parent
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def intercepted(bench):
    """W10: hits inside of tunnels whose TLS hawker ends, beside nginx serving the files over TLS itself."""
    tls = self_signed(bench)
    authority = bench.folder("authority")
    subprocess.run([pathlib.Path(bench.hawkerd).with_name("hawker"), "ca", "init", "--directory", authority, "--permit-any"],
                   check=True, capture_output=True)
    origin = peers.start_nginx("nginx TLS static", bench.folder("static"), bench.root, tls=tls)
    host = f"127.0.0.1:{origin.port}"
    hawker = peers.start_hawker(
        bench.folder("hawker"), bench.hawkerd, [origin.port], [origin.port],
        f'intercept: [127.0.0.1]\nca: {{ directory: "{authority}" }}\norigin: {{ ca_file: "{tls[0]}" }}\n')
    hawker.prefix = ""  # inside of a tunnel the origin itself is asked
    try:
        roads = {origin.name: {"tls": True}, hawker.name: {"tls": True, "tunnel": host}}
        for server in (origin, hawker):
            load.run(server, "/large", host, requests=2, **roads[server.name])
            load.run(server, "/4k/{i}", host, objects=bench.small_objects, connections=8,
                     requests=bench.small_objects // 4, **roads[server.name])
        workload = "W10 TLS, large hit, 8 clients"
        bench.interleave(workload, [origin, hawker], lambda server, _: costs(server, lambda: load.run(
            server, "/large", host, connections=8, seconds=bench.turn_seconds, **roads[server.name])),
            origin.name, bench.turns)
        bench.table.must_reach(workload, "GiB/s", origin.name, 1.0)
        bench.table.must_reach(workload, "CPU s/GiB", origin.name, 1.0)
        workload = "W10 TLS, small hit, 4k"
        bench.interleave(workload, [origin, hawker], lambda server, _: rates(server, lambda: load.run(
            server, "/4k/{i}", host, objects=bench.small_objects, connections=64, seconds=bench.turn_seconds,
            **roads[server.name])), origin.name, bench.turns)
        bench.table.must_reach(workload, "requests/s", origin.name, 1.0)
    finally:
        hawker.end()
        origin.end()

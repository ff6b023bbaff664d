"""W1 to W4 and W10: what is in the cache already."""

import contextlib
import pathlib
import subprocess

import load
import peers

GIB = 1 << 30
MIB = 1 << 20


@contextlib.contextmanager
def started(bench, *, small: bool = False):
    """nginx static, nginx with its cache, Squid, Traffic Server, Varnish and hawker before one origin; stopped at the end."""
    running = []

    def also(server):
        running.append(server)
        return server
    try:
        origin = also(peers.start_nginx("origin", bench.folder("origin"), bench.root))
        contestants = [also(peers.start_nginx("nginx static", bench.folder("static"), bench.root))]
        for name in bench.beside:
            contestants.append(also(peers.start(bench, name, origin.port, slice_size=None if small else "4m")))
        contestants.append(also(peers.start_hawker(bench.folder("hawker"), bench.hawkerd, [origin.port], [443])))
        yield f"127.0.0.1:{origin.port}", contestants
    finally:
        for server in running:
            server.stop()


def warm_up(contestants, host, target, objects=1):
    for server in contestants:
        for _ in range(2):  # some keep what they have seen twice, some finish writing behind
            load.run(server, target, host, objects=objects, connections=1 if objects == 1 else 8,
                     requests=max(1, objects // 8 if objects > 1 else 1))


def costs(server, job) -> dict:
    """What `job` moved, what it cost the server."""
    server.reset_peak()
    before = server.cpu_seconds()
    seen = job()
    gib = seen.bytes / GIB
    return {"GiB/s": gib / seen.seconds, "CPU s/GiB": (server.cpu_seconds() - before) / gib, "peak MiB": server.peak_mib(),
            "load's CPU s/GiB": seen.cpu_seconds / gib}


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
    before = server.cpu_seconds()
    seen = job()
    return {"requests/s": seen.requests / seen.seconds, "p99 ms": seen.p99_ms,
            "CPU µs/request": (server.cpu_seconds() - before) / seen.requests * 1e6,
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


def signed(bench):
    """W3: the same, every request with a signature of its own; only hawker can."""
    with started(bench, small=True) as (host, contestants):
        hawker = contestants[-1]
        for name in ("4k", "64k"):
            warm_up([hawker], host, f"/{name}/{{i}}", bench.small_objects)
            plain, with_signature = f"/{name}/{{i}}", f"/{name}/{{i}}?{load.signature()}"
            workload = f"W3 fresh signatures, {name}"
            targets = {"unsigned": plain, "hawker": with_signature}
            samples = {variant: {} for variant in targets}
            for _ in range(bench.turns):
                for variant, target in targets.items():
                    measured = rates(hawker, lambda: load.run(
                        hawker, target, host, objects=bench.small_objects, connections=64, seconds=bench.turn_seconds))
                    for unit, value in measured.items():
                        samples[variant].setdefault(unit, []).append(value)
            bench.table.add(workload, samples, "unsigned")
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
        hawker.stop()
        origin.stop()

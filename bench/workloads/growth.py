"""W11 and W12: a cache that grows, and one that starts again."""

import re
import socket
import time

import load
import peers
from server import Meter

MIB = 1 << 20
# Every name is an object of its own; the origin has one file for all of them.
GROWING = """
        location ~ ^/small[0-9]+/ { try_files /4k/0 =404; }
        location ~ ^/big/ { try_files /1m =404; }
"""


def growth(bench):
    """W12: insertions and hits of 4 KiB objects while the cache grows; W11: a start after kill -9 with all of that."""
    sizes = bench.sizes
    with open(bench.root / "1m", "wb") as file, open(bench.root / "large", "rb") as source:
        file.write(source.read(MIB))
    origin = peers.start_nginx("origin", bench.folder("origin"), bench.root, location=GROWING)
    host = f"127.0.0.1:{origin.port}"
    work = bench.folder("hawker")
    bench.fill_page_cache()
    servers = [peers.start(bench, name, origin.port) for name in bench.beside if name in ("nginx", "trafficserver")]
    servers.append(peers.start_hawker(work, bench.hawkerd, [origin.port], [443]))
    try:
        grow(bench, servers, host, sizes)
        start_again(bench, servers, work, origin, host, sizes)
    finally:
        for server in [origin, *servers]:
            server.end()


def grow(bench, servers, host, sizes):
    table = bench.table
    for place, size in enumerate(sizes):
        here = size - (sizes[place - 1] if place else 0)
        workload, target = f"W12 {size:,} objects", f"/small{place}/{{i}}"

        def measure(server, _, target=target, here=here):
            meter = Meter(server)
            filled = load.run(server, target, host, objects=here, connections=64, requests=-(-here // 64))  # every one, number 0 comes last
            time.sleep(1)  # what is written behind
            inserting = meter.costs("CPU µs/insertion", filled.requests)
            meter = Meter(server)
            hit = load.run(server, target, host, objects=here, connections=64, seconds=3 * bench.turn_seconds)
            hitting = meter.costs("CPU µs/request", hit.requests)
            most = max(inserting["peak MiB"], hitting["peak MiB"])
            return {"insertions/s": filled.requests / filled.seconds, **inserting,
                    "requests/s": hit.requests / hit.seconds, **hitting, "peak MiB": most}
        bench.interleave(workload, servers, measure, servers[0].name, 1)  # what is inserted once is a hit the second time
        if "trafficserver" in bench.beside:
            table.must_reach(workload, "insertions/s", "trafficserver", 1.0)
        if "nginx" in bench.beside:
            table.must_reach(workload, "requests/s", "nginx cache", 1.2)
    for unit in ("requests/s", "insertions/s"):
        first, last = (table.median(f"W12 {size:,} objects", unit, "hawker") for size in (sizes[0], sizes[-1]))
        table.must("W12 growth", f"{unit}, × those of the first", last / first, 0.8, True)


def is_hit(client, hawker, host: str, path: str) -> bool:
    """One object, whole: whether its answer says that it came from the cache."""
    client.sendall(f"GET {hawker.prefix}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    got = b""
    while b"\r\n\r\n" not in got:
        got += receive(client)
    head, _, body = got.partition(b"\r\n\r\n")
    left = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head).group(1)) - len(body)
    while left > 0:
        left -= len(receive(client))
    return b" 200 " in head.splitlines()[0] and b"; hit" in head


def receive(client) -> bytes:
    got = client.recv(1 << 20)
    if not got:
        raise ConnectionError("hawker has closed the connection")
    return got


def start_again(bench, servers, work, origin, host, sizes):
    hawker = servers[-1]
    big = 20 if bench.quick else 1_000
    load.run(hawker, "/big/{i}", host, objects=big, connections=4, requests=big // 4)
    time.sleep(2)  # until it is committed
    hawker.end()  # kill -9
    hawker = servers[-1] = peers.start_hawker(work, bench.hawkerd, [origin.port], [443])
    with socket.create_connection(("127.0.0.1", hawker.port)) as client:
        survived = [is_hit(client, hawker, host, "/small0/0")]
        first_hit = (time.monotonic() - hawker.begun) * 1000
        time.sleep(2)  # what is done in the background after a start takes its memory, too
        resident, private = hawker.peak_mib(), hawker.private_mib()
        for place, size in enumerate(sizes):
            here = size - (sizes[place - 1] if place else 0)
            survived += [is_hit(client, hawker, host, f"/small{place}/{i}") for i in range(0, here, max(1, here // 100))]
        survived += [is_hit(client, hawker, host, f"/big/{i}") for i in range(0, big, max(1, big // 100))]
    workload = f"W11 restart, {sizes[-1]:,} small and {big:,} large"
    share = sum(survived) / len(survived)
    bench.table.add(workload, {"hawker": {"first hit ms": [first_hit], "peak MiB": [resident], "of it private MiB": [private],
                                          "hits of a sample": [share]}}, "hawker")
    bench.table.must(workload, "first hit, ms after exec", first_hit, 50, False)
    bench.table.must(workload, "resident MiB", resident, 64, False)
    bench.table.must(workload, "hits after kill -9, of those sampled", share, 1.0, True)

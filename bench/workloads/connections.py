"""W8 and W9: connections that do little, and tunnels."""

import contextlib
import os
import socket
import statistics

import load
import peers
from server import Meter, wait_until

MIB = 1 << 20


@contextlib.contextmanager
def forward_proxies(bench, names):
    running = [peers.start_nginx("origin", bench.folder("origin"), bench.root)]
    try:
        port = running[0].port
        for name in names:
            running.append(peers.start(bench, name, port))
        # All clients here come from one address.
        running.append(peers.start_hawker(bench.folder("hawker"), bench.hawkerd, [port], [port],
                                          "limits: { connections: 20000, client_transfers: 0 }\n"))
        yield f"127.0.0.1:{port}", running[0], running[1:]
    finally:
        for server in running:
            server.end()


def ask(server, host, path, receive_buffer=None) -> socket.socket:
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(("127.0.0.1", server.port))
    client.sendall(f"GET {server.prefix}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return client


def idle_and_slow(bench):
    """W8: connections that stay open and say nothing; clients that read nothing."""
    idle, slow = (2000, 300) if bench.quick else (10_000, 2000)
    clients = []

    def open_idle(server, connections):
        for _ in range(connections):
            clients.append(ask(server, host, "/4k/1"))
            left = 4096
            while left > 0:
                left -= len(clients[-1].recv(65536))

    def measure_idle(server, _):
        meter = Meter(server)
        open_idle(server, idle // 4)  # a heap gives back its warm-up only while it is asked for more
        before = server.private_mib()
        open_idle(server, idle)
        kib = (server.private_mib() - before) * 1024 / idle
        # Those of all servers at once would be more than a process may have.
        for client in clients:
            client.close()
        clients.clear()
        return {"KiB each": kib, **meter.costs()}

    def park(server, readers):
        parked = [ask(server, host, "/large", receive_buffer=4096) for _ in range(readers)]
        for client in parked:
            client.recv(1)
        return parked

    def others(server) -> tuple[float, float]:
        """Their requests a second, and the server's CPU for one, in µs."""
        begun = server.cpu_seconds()
        seen = load.run(server, "/4k/1", host, connections=16, seconds=bench.turn_seconds)
        return seen.requests / seen.seconds, (server.cpu_seconds() - begun) / seen.requests * 1e6

    def measure_slow(server, _):
        """Alone, beside, alone, beside, ... alone: one second's pace is not the next one's. Nobody's readers stay for the next server:
        what a kernel has for all of TCP they would share."""
        meter, descriptors = Meter(server), server.descriptors()
        paces, ratios, costs, kib = [others(server)[0]], [], [], None
        for _ in range(5 if server.name == "hawker" else 3):
            parked = park(server, slow // 2)
            before = server.private_mib()
            parked += park(server, slow // 2)
            if kib is None:  # what a process has grown by, it keeps
                kib = (server.private_mib() - before) * 1024 / (slow // 2)
            beside, cost = others(server)
            for client in parked:
                client.close()
            wait_until(lambda: server.descriptors() < descriptors + slow // 20, f"{server.name} keeps its slow readers")
            paces.append(others(server)[0])
            ratios.append(beside / statistics.mean(paces[-2:]))
            costs.append(cost)
        return {"KiB each": kib, "others, × alone": statistics.median(ratios),
                "others' CPU µs/request": statistics.median(costs), **meter.costs()}

    table = bench.table
    for workload, measure, most in (("W8 idle connections", measure_idle, 1), ("W8 slow readers", measure_slow, 8)):
        with forward_proxies(bench, bench.beside) as (host, _, contestants):
            for server in contestants:
                load.run(server, "/large", host, requests=1)
                load.run(server, "/4k/1", host, connections=64, requests=200)
            bench.interleave(workload, contestants, measure, "hawker", 1)  # what a process has grown by, it keeps
        table.must(workload, "KiB each", table.median(workload, "KiB each", "hawker"), most, False)
    table.must(workload, "others, × alone", table.median(workload, "others, × alone", "hawker"), 0.95, True)


@contextlib.contextmanager
def a_core_for(server, origin):
    """One for the server, the rest for the load and the origin. A tunnel's end costs them nearly as much as the proxy: where
    all share the cores, every proxy's number is mostly theirs."""
    cores = sorted(os.sched_getaffinity(0))
    try:
        server.keep_to(cores[:1])
        origin.keep_to(cores[1:] or cores)
        os.sched_setaffinity(0, cores[1:] or cores)  # the load inherits it
        yield
    finally:
        os.sched_setaffinity(0, cores)
        for each in (server, origin):
            each.keep_to(cores)


def tunnels(bench):
    """W9: a large object through CONNECT, 1 and 32 clients; and how many tunnels are made a second."""
    names = [name for name in bench.beside if name in ("squid", "trafficserver")]
    if not names:
        return
    with forward_proxies(bench, names) as (host, origin, contestants), contextlib.closing(
            peers.start_splice(bench.folder("splice"))) as bare:
        contestants = [*contestants, bare]
        for server in contestants:
            server.prefix = ""  # inside of a tunnel the origin itself is asked
        for count in (1, 32):
            workload = f"W9 tunnel, {count} client{'s' if count > 1 else ''}"

            def measure(server, _, count=count):
                meter = Meter(server)
                seen = load.run(server, "/large", host, connections=count, seconds=bench.turn_seconds, tunnel=host)
                gib = seen.bytes / 2**30
                return {"GiB/s": gib / seen.seconds, **meter.costs("CPU s/GiB", gib)}
            bench.interleave(workload, contestants, measure, names[0], few=bench.rounds)
            bench.table.must_reach(workload, "CPU s/GiB", bare.name, 1.2)
            best = max(bench.table.median(workload, "GiB/s", name) for name in names)
            bench.table.must(workload, "GiB/s, × best peer", bench.table.median(workload, "GiB/s", "hawker") / best, 2.5, True)

        def set_up(server, _):
            with a_core_for(server, origin):
                meter = Meter(server)
                seen = load.run(server, None, host, connections=16, seconds=bench.turn_seconds, tunnel=host, fresh=True)
            return {"tunnels/s": seen.requests / seen.seconds, **meter.costs("CPU µs/tunnel", seen.requests)}
        bench.interleave("W9 tunnels made", contestants[:-1], set_up, names[0], few=bench.rounds)
        if "trafficserver" in names:
            bench.table.must_reach("W9 tunnels made", "tunnels/s", "trafficserver", 2)

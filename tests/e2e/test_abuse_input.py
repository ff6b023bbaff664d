"""Bytes that nobody means well with: too many, too long, cut off anywhere. Others notice nothing, and nothing stays behind."""

import contextlib
import socket
import ssl
import struct

import pytest

from harness.content import KIB, MIB, Content, Text
from harness.crowd import Crowd
from harness.interception import OurAuthority, options_for
from harness.siege import Bystander, many, siege
from harness.waiting import patience


def say(hawker, data, piece=256 * KIB):
    """Sends all of it, or as much as is taken; the whole answer, or b"" where there is none."""
    with hawker.connect(timeout=30) as client:
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(data), piece):
                client.send(data[at : at + piece])
        return client.read_to_end()


def status(answer):
    return int(answer[9:12]) if answer else 0


# Heads ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bomb", "statuses"), [
    (lambda url: f"GET {url} HTTP/1.1\r\nHost: a\r\n" + "".join(f"X-{n}: 1\r\n" for n in range(50_000)) + "\r\n", {431}),
    (lambda url: f"GET {url} HTTP/1.1\r\nHost: a\r\nX: {'y' * (8 * MIB)}\r\n\r\n", {431}),
    (lambda url: f"GET {url}?{'q' * (8 * MIB)} HTTP/1.1\r\nHost: a\r\n\r\n", {414}),
    (lambda url: "G" * (8 * MIB), {400, 414, 431, 501}),
    (lambda url: f"GET {url} HTTP/1.1\r\n" + "A" * (8 * MIB), {400, 431}),
    (lambda url: "\r\n" * (1 * MIB), {400, 431}),
    (lambda url: "\0" * (1 * MIB), {400, 414, 431, 501}),
], ids=["fields", "a field", "a query", "a method", "a name", "empty lines", "NULs"])
def test_a_head_without_measure_is_refused_early_and_held_by_nobody(hawker, origin, bomb, statuses):
    data = bomb(origin.url("/shared/bystander")).encode("latin-1")
    with siege(hawker, origin, memory=16 * MIB):
        crowd = Crowd()
        for _ in range(4):
            crowd.start(say, hawker, data)
        for answer in crowd.join():
            assert status(answer) in statuses | {0}  # 0: the answer was lost in the reset that so many unread bytes cause


def test_a_query_of_a_hundred_mib_is_refused_after_its_first_kib(hawker, origin):
    with siege(hawker, origin, memory=16 * MIB), hawker.connect(timeout=30) as client:
        client.send(f"GET {origin.url('/shared/bystander')}?")
        sent = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(400):
                client.send(b"q" * (256 * KIB))
                sent += 256 * KIB
        assert sent < 100 * MIB
        assert status(client.read_to_end()) in (414, 0)


# Bodies -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endless", [
    b"5;" + b"x=y;" * 500_000, b"5" + b"0" * 1_000_000, b"1;a=b\r\nx\r\n" * 200_000,
    b"0\r\n" + b"X-Trailer: value\r\n" * 100_000, b"0\r\nX: " + b"y" * 2_000_000,
], ids=["an extension", "a size", "extensions", "trailers", "a trailer"])
def test_endless_extensions_and_trailers_end_the_connection(hawker, origin, endless):
    origin.add("/other/upload")
    head = f"POST {origin.url('/other/upload')} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with siege(hawker, origin, memory=32 * MIB):
        answer = say(hawker, head + endless)
        assert status(answer) in (400, 502, 0)


def test_a_flood_of_pipelined_requests_is_answered_in_order_and_held_by_nobody(hawker, origin):
    number = 4000
    blob = origin.add("/shared/flood", Text(b"just this"))
    hawker.fetch_until_stored(origin.url("/shared/flood"))
    request = f"GET {origin.url('/shared/flood')} HTTP/1.1\r\nHost: {origin.host}\r\n\r\n".encode()
    with siege(hawker, origin, memory=32 * MIB), hawker.connect(timeout=60) as client:
        crowd = Crowd()
        crowd.start(client.send, request * number)  # nothing is read meanwhile, until both sides are full
        for _ in range(number):
            assert client.response().body == blob.content.bytes()
        crowd.join()


def test_requests_behind_a_close_are_not_served(hawker, origin):
    origin.add("/other/first", Text(b"1"))
    second = origin.add("/other/second", Text(b"2"))
    head = "GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n"
    say(hawker, (head.format(origin.url("/other/first"), "Connection: close\r\n") +
                 head.format(origin.url("/other/second"), "")).encode())
    assert not second.requests


# Cut off ----------------------------------------------------------------------------------------------------------------


def reset_after(hawker, data, read=0):
    """Sends `data`, reads so many bytes, and leaves as a killed process does."""
    client = socket.create_connection(hawker.proxy, timeout=patience(30))
    client.sendall(data)
    while read > 0:
        got = len(client.recv(read))
        if not got:
            break
        read -= got
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("path", ["/shared/bystander", "/other/passed"])
def test_a_reset_at_every_offset_of_a_request(hawker, origin, path):
    origin.add("/other/passed", Text(b"passed on"))
    request = f"POST {origin.url(path)} HTTP/1.1\r\nHost: {origin.host}\r\nContent-Length: 9\r\n\r\nsome body".encode()
    with siege(hawker, origin):
        for offset in range(len(request) + 1):
            reset_after(hawker, request[:offset])


@pytest.mark.parametrize("path", ["/shared/reset", "/other/reset", "/verify/reset"])
def test_a_reset_at_every_offset_of_a_response(hawker, origin, path):
    origin.add(path, Text(b"sixty-four bytes of body " * 3))
    request = f"GET {origin.url(path)} HTTP/1.1\r\nHost: {origin.host}\r\nConnection: close\r\n\r\n".encode()
    length = len(say(hawker, request))
    with siege(hawker, origin):
        for offset in range(length + 1):
            reset_after(hawker, request, read=offset)


def test_half_closed_clients_hear_the_answer_and_silent_ones_are_let_go(hawker, origin):
    with siege(hawker, origin) as around:
        for _ in range(50):
            with hawker.connect() as silent:
                silent.socket.shutdown(socket.SHUT_WR)
                assert silent.is_closed()
            with hawker.connect() as client:
                client.request("GET", around.url)
                client.socket.shutdown(socket.SHUT_WR)
                assert client.response().sha256 == around.blob.content.sha256()


# Tunnels ----------------------------------------------------------------------------------------------------------------


def test_a_storm_of_tunnels_to_where_none_may_go(hawker, origin):
    with siege(hawker, origin):
        crowd = Crowd()

        def storm():
            for target in ("127.0.0.1:22", "169.254.169.254:443", "[::1]:443", "x" * 3000 + ":443") * 10:
                with hawker.connect(timeout=30) as client:
                    assert client.connect_to(target).status in (400, 403, 414, 431, 502, 504)

        for _ in range(8):
            crowd.start(storm)
        crowd.join()


def test_a_storm_of_tunnels_that_nobody_uses(start_hawker, tls_origin, origin):
    hawker = start_hawker({"destinations.connect_ports": [str(tls_origin.port)]})
    with siege(hawker, origin):
        for _ in range(3):
            clients = [hawker.connect(timeout=30) for _ in range(100)]
            for client in clients:
                assert client.connect_to(tls_origin.host).status == 200
            for client in clients:
                client.abort()


def test_handshakes_that_stop_anywhere(start_hawker, tls_origin, origin, tmp_path):
    ours = OurAuthority(tmp_path / "ca")
    hawker = start_hawker(options_for(tls_origin, ours, **{"timeouts.handshake": "2s"}))
    hello = _client_hello(ours.context())
    connect = f"CONNECT {tls_origin.host} HTTP/1.1\r\nHost: {tls_origin.host}\r\n\r\n".encode()
    with siege(hawker, origin, hits=10):
        for offset in range(0, len(hello) + 1, 7):
            reset_after(hawker, connect + hello[:offset])
        silent = [hawker.connect(timeout=30) for _ in range(many(300))]
        for client in silent:
            client.send(connect + hello[:50])
        for client in silent:
            assert client.is_closed(within=30)
            client.close()


def _client_hello(context):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


# Origins ----------------------------------------------------------------------------------------------------------------


class Rogue:
    """An origin of one socket that says what it likes, without end."""

    def __init__(self, start, endless):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/other/rogue"
        self.said = 0
        self._start, self._endless = start, endless
        self._crowd = Crowd()
        self._crowd.start(self._serve)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(64 * KIB)
                    connection.sendall(self._start)
                    while True:
                        connection.sendall(self._endless)
                        self.said += len(self._endless)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._crowd.join()


@pytest.mark.parametrize(("start", "endless"), [
    (b"HTTP/1.1 200 OK\r\n", b"X-Field: value\r\n" * 4096),
    (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
    (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1024),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x=y;" * 16384),
    (b"", b"\r\n" * 32768),
], ids=["fields", "a field", "hints", "an extension", "empty lines"])
def test_an_origin_without_measure_is_given_up(start_hawker, origin, start, endless):
    hawker = start_hawker({"origin.first_byte_timeout": "2s", "origin.stall_timeout": "2s"})
    rogue = Rogue(start, endless)
    try:
        with siege(hawker, origin, memory=32 * MIB):
            answer = hawker.fetch(rogue.url)
            assert not (answer.status == 200 and answer.complete) and answer.status in (200, 502, 504)
    finally:
        rogue.close()

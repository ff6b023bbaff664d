"""Very many, and very slow ones. Others notice nothing, and nothing stays behind."""

import contextlib
import hashlib
import resource

import pytest

from harness.content import KIB, MIB, Content
from harness.daemon import is_sanitized
from harness.siege import Multitude, many, siege
from harness.waiting import eventually


ENOUGH = 10  # hits of a bystander in a siege of a second and more


def request_for(url, host, *fields):
    return ("\r\n".join([f"GET {url} HTTP/1.1", f"Host: {host}", *fields]) + "\r\n\r\n").encode()


def per_client(hawker, before, number):
    return (hawker.memory("VmRSS") - before) / number


def send_to_all(clients, data):
    """Who is given up meanwhile, on a machine that is slow, is so a little early."""
    for client in clients:
        with contextlib.suppress(ConnectionError):
            client.send(data)


def test_heads_that_come_a_byte_at_a_time_are_given_up(start_hawker, origin):
    hawker = start_hawker({"timeouts.head": "1s"})
    with siege(hawker, origin, hits=ENOUGH):
        with Multitude(hawker, many(500), b"G") as slow:
            for byte in (b"E", b"T", b" ", b"h", b"t"):
                send_to_all(slow.sockets, byte)
            slow.read_all(within=30)
            assert slow.statuses() == {b"408"}


def test_bodies_that_come_a_byte_at_a_time_are_in_nobodys_way(start_hawker, origin):
    hawker = start_hawker({"timeouts.body": "1s"})
    origin.add("/other/upload")
    head = f"POST {origin.url('/other/upload')} HTTP/1.1\r\nHost: {origin.host}\r\nContent-Length: 100000\r\n\r\n".encode()
    with siege(hawker, origin, hits=ENOUGH):
        with Multitude(hawker, 100, head) as slow:
            for _ in range(20):
                send_to_all(slow.sockets, b"x")
            slow.read_all(within=60)


def test_readers_that_take_a_byte_at_a_time_cost_a_cursor(hawker, origin):
    blob = origin.add("/shared/large", Content(32 * MIB))
    hawker.fetch_until_stored(origin.url("/shared/large"), collect=False)
    number = many(300)
    with siege(hawker, origin, hits=ENOUGH):
        before = hawker.memory("VmRSS")
        slow = [hawker.connect(receive_buffer=4 * KIB) for _ in range(number)]
        for client in slow:
            client.request("GET", origin.url("/shared/large"))
        for position in range(400):
            for client in slow:
                client.socket.recv(1)
        kib = per_client(hawker, before, number) / KIB
        print(f"{kib:.1f} KiB for each slow reader")
        assert is_sanitized() or kib < 32
        for client in slow:
            client.abort()
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_ten_thousand_idle_connections_are_nearly_free(start_hawker, origin):
    number = many(10_000)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < number + 500:
        pytest.skip(f"this user may open {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} descriptors")
    hawker = start_hawker({"limits.connections": number + 100, "timeouts.idle": "5m"})
    blob = origin.add("/shared/small", Content(4 * KIB))
    hawker.fetch_until_stored(origin.url("/shared/small"))
    with siege(hawker, origin, memory=256 * MIB, hits=ENOUGH):
        before = hawker.memory("VmRSS")
        with Multitude(hawker, number, request_for(origin.url("/shared/small"), origin.host), blob.content.size) as idle:
            assert {hashlib.sha256(body).hexdigest() for body in idle.read_all()} == {blob.content.sha256()}
            kib = per_client(hawker, before, number) / KIB
            print(f"{kib:.1f} KiB for each idle connection")
            assert is_sanitized() or kib < 1.5


@pytest.mark.parametrize("stored", [True, False])
def test_two_thousand_transfers_at_once_are_all_whole(start_hawker, origin, stored):
    hawker = start_hawker({"limits.client_transfers": 4000})
    blob = origin.add("/shared/wanted", Content(256 * KIB))
    if stored:
        hawker.fetch_until_stored(origin.url("/shared/wanted"))
    with siege(hawker, origin, memory=256 * MIB, hits=ENOUGH):
        wanted = request_for(origin.url("/shared/wanted"), origin.host, "Connection: close")
        with Multitude(hawker, many(2000), wanted, blob.content.size) as crowd:
            assert {hashlib.sha256(body).hexdigest() for body in crowd.read_all()} == {blob.content.sha256()}
            assert crowd.statuses() == {b"200"}
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_connections_that_are_opened_and_left_leave_nothing(hawker, origin):
    with siege(hawker, origin):
        for _ in range(5):
            Multitude(hawker, many(1000)).__exit__()
        eventually(lambda: hawker.metrics()["hawker_connections"] <= 2, "all gone", 30)

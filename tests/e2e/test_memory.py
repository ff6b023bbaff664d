"""A slow client costs a cursor, not memory."""

import pytest

from harness.content import GIB, KIB, MIB, Content
from harness.daemon import is_sanitized
from harness.waiting import eventually

SLOW = 200

pytestmark = pytest.mark.skipif(is_sanitized(), reason="a sanitizer has memory of its own")


@pytest.mark.heavy
def test_two_hundred_slow_clients_of_one_gib_stay_under_64_mib(hawker, origin):
    blob = origin.add("/shared/model", Content(1 * GIB))
    slow = [hawker.connect(receive_buffer=16 * KIB) for _ in range(SLOW)]
    try:
        for client in slow:
            client.request("GET", origin.url("/shared/model"))
        # All of it flows past the slow ones while they wait.
        fast = hawker.fetch(origin.url("/shared/model"), collect=False)
        assert fast.sha256 == blob.content.sha256()
        for client in slow:
            head = client.response(most=256 * KIB)
            assert head.body == blob.content.bytes(0, head.length)
        assert blob.bytes_sent <= 1.01 * blob.content.size
        assert hawker.memory("VmRSS") < 64 * MIB
        assert hawker.memory("VmHWM") < 64 * MIB
    finally:
        for client in slow:
            client.abort()


def test_a_thousand_idle_connections_cost_next_to_nothing(hawker, origin):
    blob = origin.add("/shared/small", Content(10 * KIB))
    hawker.fetch(origin.url("/shared/small"))
    before = hawker.memory("VmRSS")
    idle = [hawker.connect() for _ in range(1000)]
    try:
        for client in idle:
            client.request("GET", origin.url("/shared/small"))
            assert client.response().sha256 == blob.content.sha256()
        assert hawker.memory("VmRSS") - before < 32 * MIB
    finally:
        for client in idle:
            client.close()
    eventually(lambda: hawker.metrics()["hawker_connections"] <= 1, "all have gone")


def test_many_exchanges_do_not_make_it_grow(hawker, origin):
    blob = origin.add("/shared/model", Content(8 * MIB))
    hawker.fetch_until_stored(origin.url("/shared/model"))

    def ask(times):
        with hawker.connect() as client:
            for number in range(times):
                start = number * 4099 % (7 * MIB)
                client.request("GET", origin.url("/shared/model"), {"Range": f"bytes={start}-{start + 9999}"})
                assert client.response().body == blob.content.bytes(start, start + 10_000)

    ask(500)
    before = hawker.memory("VmRSS")
    ask(3000)
    assert hawker.memory("VmRSS") - before < 8 * MIB

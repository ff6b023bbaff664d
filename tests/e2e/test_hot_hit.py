"""What a hit of a small body that is in memory costs besides its one answer: counted, not timed."""

import time

import pytest

from harness.content import KIB, Content
from harness.counters import LIBRARY, Counters, Spent
from harness.daemon import is_sanitized

HITS = 2000
# Of the heap, for one hit: what is left today, and an upper bound for tomorrow. Whoever lowers it lowers this number.
MOST_ALLOCATIONS = 14

pytestmark = [
    pytest.mark.skipif(is_sanitized(), reason="a sanitizer has a heap of its own"),
    pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not built (ninja hawker_counters)"),
]


@pytest.fixture
def counters(tmp_path):
    return Counters(tmp_path)


@pytest.fixture
def hits(start_hawker, origin, counters):
    """hits(n): n hits of one small object, one after the other on one connection, all of them warm."""
    path = "/shared/models/a-rather-ordinary-name/resolve/main/config.json"
    fields = {"User-Agent": "curl/7.88.1", "Accept": "*/*", "Proxy-Connection": "Keep-Alive"}
    blob = origin.add(path, Content(4 * KIB))
    hawker = start_hawker({"threads": 1, "log.access": False}, wrapper=counters.wrapper)
    url = origin.url(path)
    with Spent(counters) as stored:
        hawker.fetch_until_stored(url)
    assert stored.by_others().index_writes > 0, "what is counted can be seen"
    with hawker.connect() as client:

        def ask(times):
            for _ in range(times):
                client.request("GET", url, fields)
                answer = client.response()
                assert answer.cache_status["hit"] and answer.sha256 == blob.content.sha256()

        ask(100)  # what grows once has grown
        yield ask


def test_a_hot_hit_writes_nothing_to_the_index(hits, counters):
    begun = time.monotonic()
    with Spent(counters) as spent:
        hits(HITS)
    assert spent.by_senders().sends >= HITS
    assert spent.by_senders().index_writes == 0
    # When an object was last used is written down by another thread, once in five seconds however many hits there were.
    intervals = (time.monotonic() - begun) / 5
    assert spent.by_others().index_writes <= 2 + intervals


def test_a_hot_hit_keeps_no_memory_and_asks_little_of_the_heap(hits, counters):
    with Spent(counters) as spent:
        hits(HITS)
    loops = spent.by_senders()
    assert loops.sends == HITS, "head and body leave in one call"
    each = loops.allocations / HITS
    assert each <= MOST_ALLOCATIONS + 0.5, "half a one for what happens now and then"
    assert abs(loops.allocations - loops.frees) < HITS / 10, "what one hit takes, it gives back"

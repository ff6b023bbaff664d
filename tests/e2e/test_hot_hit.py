"""What a hit of a small body that is in memory costs besides its one answer: counted, not timed."""

import contextlib
import re
import time

import pytest
import yaml

from harness.content import KIB, Content
from harness.counters import LIBRARY, Counters, Spent
from harness.daemon import REPOSITORY, is_sanitized
from harness.rules import HOST, rule
from harness.waiting import eventually

HITS = 2000
FIELDS = {"User-Agent": "curl/7.88.1", "Accept": "*/*", "Proxy-Connection": "Keep-Alive"}
PATH = "/shared/models/a-rather-ordinary-name/resolve/main/config.json"
SIGNATURE = ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
             "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=")

pytestmark = [
    pytest.mark.skipif(is_sanitized(), reason="a sanitizer has a heap of its own"),
    pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not built (ninja hawker_counters)"),
]


@pytest.fixture
def counters(tmp_path):
    return Counters(tmp_path)


@pytest.fixture
def ask(start_hawker, origin, counters):
    """ask(n): n hits of one small object, one after the other on one connection, all of them warm; ask.warm(query, **options) begins.
    `more` says something else of its rule, `before` which rules stand before it, `path` of a digest where it lies."""
    with contextlib.ExitStack() as ends:

        def ask(times):
            for number in range(times):
                query = f"{SIGNATURE}{number:064x}" if ask.signed else ""
                ask.client.request("GET", origin.url(ask.path, query), FIELDS)
                answer = ask.client.response()
                assert answer.cache_status["hit"] and answer.sha256 == ask.sha256

        def warm(signed=False, path=lambda _: PATH, more=None, before=(), **options):
            content = Content(4 * KIB)
            ask.path = path(content.sha256())
            origin.add(ask.path, content)
            named = rule("signed", **{"match": HOST + "/shared/", "access": "shared", "key": {"strip": ["aws-sigv4"]}, **(more or {})})
            hawker = start_hawker({"threads": 1, "log.access": False, **options}, rules=[*before, named], wrapper=counters.wrapper)
            with Spent(counters) as stored:
                hawker.fetch_until_stored(origin.url(ask.path))
            assert stored.by_others().index_writes > 0 and stored.by_senders().allocations > 0, "what is counted can be seen"
            ask.sha256, ask.signed = content.sha256(), signed
            ask.hawker = hawker
            ask.client = ends.enter_context(hawker.connect())
            ask(100)  # what grows once has grown

        ask.warm = warm
        ask.lines_of_hits = lambda: len(re.findall(r'source(?:=|":")hit', ask.hawker.log()))
        yield ask


def intervals_since(begun):
    """When an object was last used is written down by another thread, once in five seconds however many hits there were."""
    return 2 + (time.monotonic() - begun) // 5


def test_a_hot_hit_writes_nothing_to_the_index(ask, counters):
    ask.warm()
    begun = time.monotonic()
    with Spent(counters) as spent:
        ask(HITS)
    assert spent.by_senders().sends >= HITS
    assert spent.by_senders().index_writes == 0
    assert spent.by_others().index_writes <= intervals_since(begun)


def assert_the_heap_is_left_alone(ask, counters, spare=0):
    begun = time.monotonic()
    with Spent(counters) as spent:
        ask(HITS)
    loops = spent.by_senders()
    assert loops.sends == HITS, "head and body leave in one call"
    # The object's last use is noted anew after it was written down.
    few = intervals_since(begun) + spare
    assert loops.allocations <= few, f"{loops.allocations / HITS} for each hit"
    assert loops.frees <= few


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
def test_a_hot_hit_asks_nothing_of_the_heap(ask, counters, signed):
    ask.warm(signed)
    assert_the_heap_is_left_alone(ask, counters)


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
@pytest.mark.parametrize("form", ["json", "text"])
def test_a_line_in_the_access_log_asks_nothing_of_the_heap(ask, counters, form, signed):
    ask.warm(signed, **{"log.access": True, "log.format": form})
    # The log's queue grows, once, by as much as its thread lags.
    assert_the_heap_is_left_alone(ask, counters, spare=HITS // 50)
    eventually(lambda: ask.lines_of_hits() >= HITS, "a line for each")


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
@pytest.mark.parametrize("digest", ["sha256", "a+b+c"])
def test_a_digest_in_the_url_asks_nothing_of_the_heap(ask, counters, digest, signed):
    in_parts = digest == "a+b+c"
    groups = "(?P<a>[0-9a-f]{2})/(?P<b>[0-9a-f]{2})/(?P<c>[0-9a-f]{60})" if in_parts else "(?P<sha256>[0-9a-f]{64})"
    # What a directory is called could be a digest, too: RE2 has to try more than one way.
    more = {"match": HOST + r"/shared/([^/?]+/)+" + groups + r"(\?|$)", "digest": digest}

    def path(sha256):
        return f"/shared/{'e' * 64}/" + (f"{sha256[:2]}/{sha256[2:4]}/{sha256[4:]}" if in_parts else sha256)

    ask.warm(signed, path, more)
    assert_the_heap_is_left_alone(ask, counters)


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
@pytest.mark.parametrize("other", [HOST + "/other-{}/", r"^https://([a-z0-9-]+\.)*cdn-{}\.example/", r"^https?://cdn-{}\.example(:\d+)?/"],
                         ids=["paths", "domains", "hosts"])
def test_eight_rules_ask_nothing_of_the_heap(ask, counters, other, signed):
    before = [rule(f"other {number}", other.replace("{}", str(number))) for number in range(7)]
    ask.warm(signed, before=before)
    assert_the_heap_is_left_alone(ask, counters)


def test_the_shipped_rules_ask_nothing_of_the_heap(ask, counters):
    shipped = yaml.safe_load((REPOSITORY / "etc/rules.yaml").read_text())["rules"]
    assert len(shipped) > 8
    ask.warm(signed=True, before=shipped)
    assert_the_heap_is_left_alone(ask, counters)

"""`policy: http`: what a newer answer may change about what is stored, and what it must not."""

import threading

import pytest

from harness import origin_answer as faults
from harness.content import MIB, Content
from harness.origin_resource import aged
from harness.rules import HOST, rule
from harness.waiting import eventually

FIRST, SECOND = Content(2 * MIB, seed=21), Content(3 * MIB, seed=22)
ALICE = {"Authorization": "Basic YWxpY2U6eA=="}
STALE = aged(700, "max-age=600, stale-while-revalidate=3600, stale-if-error=3600")


def only_to(field, told):
    """Says these fields to requests with that field, whatever the status."""
    def handle(request, answer):
        if request.header(field):
            answer.headers.update(told)
    return handle


def slow(answer):
    answer.rate = 2 * MIB


# Whose answer it was ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("asked", [ALICE, {"X-Forwarded-Host": "evil.example"}])
def test_what_is_said_to_one_client_is_not_told_to_others(hawker, origin, method, asked):
    page = origin.add("/http/personal", FIRST, headers={"Cache-Control": "max-age=600"})
    hawker.fetch_until_stored(origin.url(page.path))
    page.handler = only_to(next(iter(asked)), {"X-User": "alice", "Link": "<http://evil.example/>"})
    own = hawker.fetch(origin.url(page.path), method, headers={**asked, "Cache-Control": "no-cache"})
    assert own.status == 200 and own.header("X-User") == "alice"
    other = hawker.fetch(origin.url(page.path))
    assert other.cache_status.get("hit") and other.sha256 == FIRST.sha256()
    assert other.header("X-User") is None and other.header("Link") is None


def test_what_is_said_to_one_client_is_not_told_to_others_of_a_task_either(hawker, origin):
    page = origin.add("/http/tagged", FIRST, headers=aged(700, "max-age=600"))
    tag = {"X-Dragonfly-Tag": "t"}
    hawker.fetch_until_stored(origin.url(page.path), headers=tag)
    page.headers = {"Cache-Control": "max-age=600"}
    page.handler = only_to("Authorization", {"X-User": "alice"})
    for own in ({**tag, **ALICE}, tag):
        answer = hawker.fetch(origin.url(page.path), headers=own)
        assert answer.sha256 == FIRST.sha256()
    assert answer.header("X-User") is None and page.bytes_sent <= FIRST.size + 2


@pytest.mark.parametrize("told", [{"Cache-Control": "private, max-age=600"}, {"Cache-Control": "no-store"}, {"Vary": "*"}])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_may_not_be_kept_any_more_is_not(hawker, origin, told, method):
    page = origin.add("/http/over", FIRST, headers={"Cache-Control": "max-age=600"})
    hawker.fetch_until_stored(origin.url(page.path))
    page.handler = only_to("User-Agent", {**told, "X-Version": "2"})
    fields = {"Cache-Control": "no-cache", "User-Agent": "test"}
    assert hawker.fetch(origin.url(page.path), method, headers=fields).header("X-Version") == "2"
    other = hawker.fetch(origin.url(page.path))
    assert not other.cache_status.get("hit") and other.header("X-Version") is None and other.sha256 == FIRST.sha256()


# What the client itself knows of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [{}, {"Range": "bytes=0-99"}])
def test_what_the_origin_must_have_is_judged_by_the_origin(hawker, origin, part):
    page = origin.add("/http/edited", FIRST, headers={"Cache-Control": "max-age=600"})
    hawker.fetch_until_stored(origin.url(page.path), headers=part)
    page.content = SECOND
    page.handler = lambda request, answer: request.header("If-Match") in (None, page.etag) or answer.become(412, {}, b"edited since")
    now = hawker.fetch(origin.url(page.path), headers={"If-Match": page.etag})
    assert (now.status, now.sha256) == (200, SECOND.sha256())
    assert hawker.fetch(origin.url(page.path), headers={**part, "If-Match": '"of before"'}).status == 412


def test_a_304_that_does_not_say_to_which_tag_is_no_word_about_the_clients(hawker, origin):
    page = origin.add("/http/two", FIRST, headers=aged(700, "max-age=600"))
    hawker.fetch_until_stored(origin.url(page.path))
    page.handler = lambda request, answer: page.etag in (request.header("If-None-Match") or "") and answer.become(304, {})
    answer = hawker.fetch(origin.url(page.path), headers={"If-None-Match": '"older"'})
    assert (answer.status, answer.sha256) == (200, FIRST.sha256())
    assert page.requests[-1].header("If-None-Match") == '"older"'


# A next one that never comes ----------------------------------------------------------------------------------------------


def test_what_is_stale_is_served_until_the_next_one_is_whole(hawker, origin):
    page = origin.add("/http/next", FIRST, headers=STALE)
    hawker.fetch_until_stored(origin.url(page.path))
    page.replace(SECOND)
    page.headers = {"Cache-Control": "max-age=600"}
    go_on = threading.Event()
    page.fault(faults.stalled(MIB, go_on), times=1)
    hawker.fetch(origin.url(page.path))
    eventually(lambda: page.active == 1, "the revalidation")
    for _ in range(2):
        assert hawker.fetch(origin.url(page.path)).sha256 == FIRST.sha256()
    go_on.set()
    eventually(lambda: hawker.fetch(origin.url(page.path)).sha256 == SECOND.sha256(), "the next one")
    assert len(page.requests) == 2


def test_a_next_one_that_breaks_off_behind_leaves_the_stale_one(hawker, origin):
    page = origin.add("/http/broken-behind", FIRST, headers=STALE)
    hawker.fetch_until_stored(origin.url(page.path))
    page.replace(SECOND)
    page.fault(faults.truncated(MIB))

    def asked_again():
        assert hawker.fetch(origin.url(page.path)).sha256 == FIRST.sha256()
        return len(page.requests) >= 4
    eventually(asked_again, "three revalidations in vain")


def test_a_next_one_that_breaks_off_leaves_the_stale_one_for_the_next_error(hawker, origin):
    page = origin.add("/http/broken", FIRST, headers=aged(700, "max-age=600, stale-if-error=3600"))
    hawker.fetch_until_stored(origin.url(page.path))
    page.replace(SECOND)
    page.fault(faults.truncated(MIB), times=1)
    page.fault(faults.status(503), when=lambda _: len(page.requests) > 2)
    assert not hawker.fetch(origin.url(page.path)).complete
    answer = hawker.fetch(origin.url(page.path))
    assert answer.sha256 == FIRST.sha256() and answer.cache_status["detail"] == "stale-if-error"


def test_a_next_one_that_is_whole_takes_the_place_of_the_last(hawker, origin):
    page = origin.add("/http/whole", FIRST, headers=aged(700, "max-age=600"))
    hawker.fetch_until_stored(origin.url(page.path))
    page.replace(SECOND)
    page.headers = {"Cache-Control": "max-age=600"}
    assert hawker.fetch(origin.url(page.path)).sha256 == SECOND.sha256()
    eventually(lambda: len(hawker.tasks()) == 1, "the last one to go")


def test_a_torso_that_a_client_has_left_behind_is_not_served(hawker, origin):
    page = origin.add("/http/torso", FIRST, headers={"Cache-Control": "max-age=600"}, etag=None, last_modified=None)
    page.fault(faults.truncated(MIB), times=1).fault(slow, times=1)
    leaver = hawker.connect()
    leaver.request("GET", origin.url(page.path))
    leaver.response_head()
    leaver.abort()
    eventually(lambda: not page.active, "the end of what nobody reads")
    for _ in range(2):
        assert hawker.fetch(origin.url(page.path)).sha256 == FIRST.sha256()


# Others -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [faults.status(503), faults.no_answer()])
def test_a_head_too_is_answered_stale_when_the_origin_fails(hawker, origin, failure):
    page = origin.add("/http/head-stands-in", FIRST, headers=aged(700, "max-age=600, stale-if-error=3600"))
    hawker.fetch_until_stored(origin.url(page.path))
    page.fault(failure)
    answer = hawker.fetch(origin.url(page.path), "HEAD")
    assert answer.status == 200 and answer.cache_status["detail"] == "stale-if-error"


def test_only_if_cached_never_asks(hawker, origin):
    page = origin.add("/http/only", FIRST, headers={"Cache-Control": "max-age=600"})
    part = origin.add("/shared/only", FIRST)
    asked = {"Cache-Control": "no-store, only-if-cached"}
    assert hawker.fetch(origin.url(page.path), headers=asked).status == 504
    hawker.fetch_until_stored(origin.url(page.path))
    assert hawker.fetch(origin.url(page.path), headers=asked).sha256 == FIRST.sha256()
    assert hawker.fetch(origin.url(part.path), headers={"Cache-Control": "only-if-cached"}).status == 504
    assert (len(page.requests), len(part.requests)) == (1, 0)


def test_who_is_refused_for_what_a_fetch_leaves_out_asks_with_all_of_it(start_hawker, origin):
    """A fetch that others will read too carries a few of the client's fields; the answer to it is not always the client's."""
    hawker = start_hawker(rules=[rule("all", HOST + "/", access="shared")])
    page = origin.add("/keyed", FIRST)

    def keyed(request, answer):
        if request.header("X-JFrog-Art-Api") != "k":
            answer.become(401, {"Content-Type": "text/plain"}, b"a key, please")
    page.handler = keyed
    assert hawker.fetch(origin.url("/keyed"), headers={"X-JFrog-Art-Api": "k"}).sha256 == FIRST.sha256()
    assert hawker.fetch(origin.url("/keyed")).status == 401
    assert len(page.requests) == 3

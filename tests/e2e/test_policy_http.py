"""`policy: http`: stored and reused as RFC 9111 lets a shared cache.

What the suite of test_http_cache_suite.py does not show: what it costs the origin, and what happens when things go wrong. How
single messages are judged is in tests/unit/http.
"""

import gzip
import threading

import pytest

from harness import origin_answer as faults
from harness.content import MIB, Content
from harness.crowd import all_at_once, fetching
from harness.origin_resource import aged
from harness.rules import HOST, rule
from harness.waiting import eventually

FIRST, SECOND = Content(2 * MIB, seed=11), Content(3 * MIB, seed=12)


def test_a_fresh_response_is_reused_without_asking(hawker, origin):
    page = origin.add("/http/fresh", FIRST, headers={"Cache-Control": "max-age=600"})
    hawker.fetch_until_stored(origin.url("/http/fresh"))
    asked = len(page.requests)
    answer = hawker.fetch(origin.url("/http/fresh"))
    assert (answer.status, answer.sha256) == (200, FIRST.sha256())
    assert answer.cache_status["hit"] and answer.header("Age") is not None
    assert len(page.requests) == asked


def test_a_stale_response_that_is_still_the_same_costs_one_byte(hawker, origin):
    page = origin.add("/http/stale", FIRST, headers={"Cache-Control": "max-age=0"})
    hawker.fetch_until_stored(origin.url("/http/stale"))
    before = page.bytes_sent
    assert hawker.fetch(origin.url("/http/stale")).sha256 == FIRST.sha256()
    assert page.bytes_sent - before <= 1


def test_a_stale_response_that_was_replaced_is_fetched_anew(hawker, origin):
    page = origin.add("/http/moving", FIRST, headers={"Cache-Control": "max-age=0"})
    hawker.fetch_until_stored(origin.url("/http/moving"))
    page.replace(SECOND)
    assert hawker.fetch(origin.url("/http/moving")).sha256 == SECOND.sha256()


def test_a_client_may_ask_for_revalidation(hawker, origin):
    page = origin.add("/http/doubted", FIRST, headers={"Cache-Control": "max-age=600"})
    hawker.fetch_until_stored(origin.url("/http/doubted"))
    page.replace(SECOND)
    assert hawker.fetch(origin.url("/http/doubted")).sha256 == FIRST.sha256()
    answer = hawker.fetch(origin.url("/http/doubted"), headers={"Cache-Control": "no-cache"})
    assert answer.sha256 == SECOND.sha256()


def test_no_store_is_obeyed(hawker, origin):
    page = origin.add("/http/secret", FIRST, headers={"Cache-Control": "no-store"})
    for _ in range(2):
        assert hawker.fetch(origin.url("/http/secret")).sha256 == FIRST.sha256()
    assert page.bytes_sent >= 2 * FIRST.size
    assert all(task["url"] != origin.url("/http/secret") for task in hawker.tasks())


# One plain request --------------------------------------------------------------------------------------------------------


def test_a_miss_is_one_request_as_the_client_made_it(hawker, origin):
    page = origin.add("/http/plain", FIRST, headers={"Cache-Control": "max-age=600"})
    hawker.fetch_until_stored(origin.url("/http/plain"), headers={"X-Mine": "1", "Accept": "a/b", "Accept-Encoding": "br"})
    [request] = page.requests
    assert [request.header(name) for name in ("X-Mine", "Accept", "Accept-Encoding", "Range", "If-None-Match")] == [
        "1", "a/b", "br", None, None]


def test_a_client_that_asks_without_a_key_gets_everything_it_asked_for(hawker, origin):
    """Whatever the status: it is the origin's answer, once."""
    for status in (204, 301, 404, 418, 500):
        page = origin.add(f"/http/{status}", headers={})
        page.fault(faults.status(status, b"" if status == 204 else b"words"))
        answer = hawker.fetch(origin.url(f"/http/{status}"))
        assert (answer.status, answer.body) == (status, b"" if status == 204 else b"words")
        assert len(page.requests) == 1


def test_concurrent_misses_ask_once(hawker, origin):
    page = origin.add("/http/asked-once", FIRST, headers={"Cache-Control": "max-age=600"})
    go_on = threading.Event()
    page.fault(faults.late_head(go_on), times=1)
    crowd = fetching(hawker, origin.url("/http/asked-once"), 8)
    eventually(lambda: page.requests, "the first request")
    go_on.set()
    answers = crowd.join()
    assert {answer.sha256 for answer in answers} == {FIRST.sha256()}
    assert len(page.requests) == 1


def test_concurrent_validations_ask_once(hawker, origin):
    page_url = origin.url("/http/validated-once")
    page = origin.add("/http/validated-once", FIRST, headers=aged(599, "max-age=600"))
    hawker.fetch_until_stored(page_url)
    eventually(lambda: hawker.fetch(page_url, headers={"Cache-Control": "only-if-cached"}).status == 504, "it is stale")
    page.headers = {"Cache-Control": "max-age=600"}
    go_on = threading.Event()
    page.fault(faults.late_head(go_on), times=1)
    crowd = fetching(hawker, page_url, 8)
    eventually(lambda: len(page.requests) == 2, "the validation")
    go_on.set()
    answers = crowd.join()
    assert {answer.sha256 for answer in answers} == {FIRST.sha256()}
    assert len(page.requests) == 2 and page.bytes_sent == FIRST.size


def test_what_may_not_be_shared_is_not_waited_for_twice(hawker, origin):
    """Clients that wait for an answer that turns out to be for one of them ask by themselves, all at the same time."""
    page = origin.add("/http/personal", FIRST, headers={"Cache-Control": "private"})
    together = threading.Event()

    def handler(request, answer):
        if len(page.requests) > 1:
            answer.before_head = together
        if len(page.requests) >= 4:
            together.set()

    page.handler = handler
    answers = all_at_once(4, lambda _: hawker.fetch(origin.url("/http/personal")))
    assert {answer.sha256 for answer in answers} == {FIRST.sha256()} and len(page.requests) == 4


# Variants -----------------------------------------------------------------------------------------------------------------


def by_language(request, answer):
    answer.become(200, {"Cache-Control": "max-age=600", "Vary": "Accept-Language"},
                  f"in {request.header('Accept-Language')}".encode())


def in_language(hawker, origin, path, language):
    return hawker.fetch(origin.url(path), headers={"Accept-Language": language})


def test_variants_stand_beside_each_other_and_outlive_a_crash(hawker, origin):
    page = origin.add_handler("/http/languages", by_language)
    for language in ("de", "en"):
        hawker.fetch_until_stored(origin.url("/http/languages"), headers={"Accept-Language": language})
    hawker.kill()
    hawker.restart()
    for language in ("de", "EN", "de"):
        answer = in_language(hawker, origin, "/http/languages", language)
        assert answer.body == f"in {language.lower()}".encode() and answer.cache_status.get("hit")
    assert len(page.requests) == 2
    assert in_language(hawker, origin, "/http/languages", "fr").body == b"in fr"


def test_a_key_has_no_more_than_so_many_variants(hawker, origin):
    page = origin.add_handler("/http/endless", by_language)
    for number in range(40):
        in_language(hawker, origin, "/http/endless", f"x-{number}")
    assert len(page.requests) == 40
    eventually(lambda: len([task for task in hawker.tasks() if task["url"] == origin.url("/http/endless")]) == 32,
               "32 variants")
    assert in_language(hawker, origin, "/http/endless", "x-39").cache_status.get("hit")
    assert not in_language(hawker, origin, "/http/endless", "x-0").cache_status.get("hit")


@pytest.mark.parametrize("vary", [{"Vary": "Accept-Encoding"}, {}])
def test_a_coding_goes_to_those_who_asked_for_it(hawker, origin, vary):
    def handler(request, answer):
        answer.headers.update({"Cache-Control": "max-age=600", **vary})
        if "gzip" in (request.header("Accept-Encoding") or ""):
            answer.become(200, {**answer.headers, "Content-Encoding": "gzip"}, gzip.compress(b"content"))
        else:
            answer.become(200, answer.headers, b"content")

    page = origin.add_handler("/http/coded", handler)
    for _ in range(2):
        coded = hawker.fetch(origin.url("/http/coded"), headers={"Accept-Encoding": "gzip"})
        assert coded.header("Content-Encoding") == "gzip" and gzip.decompress(coded.body) == b"content"
    assert len(page.requests) == 1
    plain = hawker.fetch(origin.url("/http/coded"))
    assert plain.header("Content-Encoding") is None and plain.body == b"content"


# Whose answers ------------------------------------------------------------------------------------------------------------


def test_what_credentials_brought_is_for_all_only_where_the_origin_says_so(hawker, origin):
    for path, control, is_kept in (("/http/own", "max-age=600", False), ("/http/open", "public, max-age=600", True)):
        page = origin.add(path, FIRST, headers={"Cache-Control": control})
        for _ in range(2):
            answer = hawker.fetch(origin.url(path), headers={"Authorization": "Basic x"})
            assert answer.sha256 == FIRST.sha256()
        assert (len(page.requests) == 1) is is_kept


def test_a_cookie_of_one_client_is_kept_only_where_the_rule_says_so(start_hawker, origin):
    hawker = start_hawker(rules=[rule("plain", HOST + "/plain/", policy="http", access="shared"),
                                 rule("cookies", HOST + "/cookies/", policy="http", access="shared", store_cookies=True)])
    for path, is_kept in (("/plain/a", False), ("/cookies/a", True)):
        page = origin.add(path, FIRST, headers={"Cache-Control": "max-age=600", "Set-Cookie": "a=b"})
        answers = [hawker.fetch(origin.url(path)) for _ in range(2)]
        assert [answer.header("Set-Cookie") for answer in answers] == ["a=b", "a=b"]
        assert (len(page.requests) == 1) is is_kept


def test_under_access_verify_another_client_has_the_origin_asked(start_hawker, origin):
    hawker = start_hawker(rules=[rule("all", HOST + "/", policy="http", ignore_credentials=True)])
    page = origin.add("/mine", FIRST, headers={"Cache-Control": "max-age=600"}, authorization="Bearer good")
    for _ in range(2):
        assert hawker.fetch(origin.url("/mine"), headers={"Authorization": "Bearer good"}).sha256 == FIRST.sha256()
    assert len(page.requests) == 1
    assert hawker.fetch(origin.url("/mine"), headers={"Authorization": "Bearer bad"}).status == 403
    assert hawker.fetch(origin.url("/mine")).status == 403
    page.authorization = None
    assert hawker.fetch(origin.url("/mine")).sha256 == FIRST.sha256()
    assert page.requests[-1].header("If-None-Match") == page.etag and page.bytes_sent < 2 * FIRST.size

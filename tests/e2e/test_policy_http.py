"""`policy: http`: stored and reused as RFC 9111 lets a shared cache."""

from harness.content import MIB, Content

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


def test_a_response_that_varies_by_something_else_is_not_stored(hawker, origin):
    page = origin.add("/http/varied", FIRST, headers={"Cache-Control": "max-age=600", "Vary": "User-Agent"})
    for _ in range(2):
        assert hawker.fetch(origin.url("/http/varied")).sha256 == FIRST.sha256()
    assert page.bytes_sent >= 2 * FIRST.size

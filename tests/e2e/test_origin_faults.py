"""Whatever the origin does wrong: a client gets right bytes, the origin's own words, or a failed transfer. Never wrong bytes."""

import socket
import threading

import pytest

from harness.content import KIB, MIB, Content
from harness.crowd import Crowd, all_at_once
from harness.origin_answer import (chunked, empty_partial, html_page, ignores_ranges, json_error, late_head, no_answer, redirect,
                                   reset, stalled, status, truncated, until_close, with_headers, wrong_bytes,
                                   wrong_content_range)
from harness.waiting import eventually, patience


@pytest.fixture
def blob(origin):
    return origin.add("/shared/blob", Content(12 * MIB + 345))


@pytest.fixture
def url(origin):
    return origin.url("/shared/blob")


def assert_right(answer, resource, code=200):
    assert (answer.status, answer.complete, answer.sha256) == (code, True, resource.content.sha256()), answer


def assert_not_wrong(answer, resource):
    """A prefix of the truth, the truth, or an error that is not taken for the object; but never silence."""
    assert answer.status != 0, answer
    if answer.status == 200:
        assert answer.body == resource.content.bytes(0, answer.length)
        assert not answer.complete or answer.length == resource.content.size


def assert_served_again(hawker, url, resource):
    resource.heal()
    assert_right(hawker.fetch(url), resource)


@pytest.mark.parametrize("fault", [truncated(3 * MIB), reset(3 * MIB)], ids=["truncated", "reset"])
def test_a_transfer_that_breaks_is_resumed_from_the_exact_byte(start_hawker, blob, url, fault):
    hawker = start_hawker({"fetch.connections": 1})
    blob.fault(fault, times=2)
    assert_right(hawker.fetch(url), blob)
    # A reset may throw away what was still on the way.
    assert blob.bytes_sent <= 1.5 * blob.content.size


def test_a_truncated_transfer_costs_not_one_byte_twice(start_hawker, blob, url):
    hawker = start_hawker({"fetch.connections": 1})
    blob.fault(truncated(3 * MIB), times=2)
    assert_right(hawker.fetch(url), blob)
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_a_transfer_that_stalls_is_given_up_and_resumed(start_hawker, blob, url):
    hawker = start_hawker({"origin.stall_timeout": "500ms"})
    blob.fault(stalled(3 * MIB, threading.Event()), times=1)
    assert_right(hawker.fetch(url), blob)


def test_an_origin_that_always_breaks_leaves_a_failed_transfer_and_nothing_wrong(start_hawker, blob, url):
    hawker = start_hawker({"fetch.attempts": 2})
    blob.fault(truncated(0))
    answer = hawker.fetch(url)
    assert (answer.status, answer.complete) == (200, False) or answer.status in (502, 504), answer
    assert_served_again(hawker, url, blob)


def test_a_few_server_errors_are_waited_out(hawker, blob, url):
    blob.fault(status(503), times=2)
    assert_right(hawker.fetch(url), blob)


def test_server_errors_in_the_middle_are_waited_out(start_hawker, blob, url):
    hawker = start_hawker({"fetch.connections": 1})
    blob.fault(truncated(3 * MIB), times=1)
    blob.fault(status(502), times=2, when=lambda request: blob.bytes_sent >= 3 * MIB)
    assert_right(hawker.fetch(url), blob)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 500, 503])
def test_an_error_that_stays_is_the_origins_own_and_is_not_stored(start_hawker, blob, url, code):
    hawker = start_hawker({"fetch.attempts": 2})
    blob.fault(status(code, b"nothing to see", X_Error_Code="OfItsOwn"))
    answer = hawker.fetch(url)
    assert (answer.status, answer.text, answer.header("X-Error-Code")) == (code, "nothing to see", "OfItsOwn")
    assert_served_again(hawker, url, blob)


def test_429_is_asked_again_when_retry_after_says(hawker, blob, url):
    blob.fault(status(429, Retry_After="1"), times=1)
    assert_right(hawker.fetch(url), blob)
    first, second = blob.gets[:2]
    assert second.at - first.at >= 0.95


def test_429_with_a_long_retry_after_goes_to_the_client(hawker, blob, url):
    blob.fault(status(429, b"slow down", Retry_After="7200"))
    answer = hawker.fetch(url)
    assert (answer.status, answer.header("Retry-After"), answer.text) == (429, "7200", "slow down")


@pytest.mark.parametrize("fault", [ignores_ranges(), chunked(), until_close()], ids=["no ranges", "chunked", "until close"])
def test_an_origin_that_cannot_do_better_is_still_served(hawker, blob, url, fault):
    blob.fault(fault)
    for _ in range(2):
        assert_right(hawker.fetch(url), blob)


def test_clients_of_an_origin_without_ranges_still_share_one_transfer(hawker, blob, url):
    go_on = threading.Event()
    blob.fault(ignores_ranges()).fault(stalled(2 * MIB, go_on), times=1)
    crowd = Crowd()
    crowd.start(hawker.fetch, url)
    eventually(lambda: blob.bytes_sent >= 2 * MIB, "the first MiB")
    for _ in range(5):
        crowd.start(hawker.fetch, url)
    go_on.set()
    for answer in crowd.join():
        assert_right(answer, blob)
    assert blob.bytes_sent <= 1.01 * blob.content.size


@pytest.mark.parametrize("fault", [chunked(), until_close()], ids=["chunked", "until close"])
def test_a_body_of_unknown_length_that_breaks_is_not_a_complete_answer(start_hawker, blob, url, fault):
    hawker = start_hawker({"fetch.attempts": 1})
    blob.fault(fault).fault(reset(3 * MIB))
    assert_not_wrong(hawker.fetch(url), blob)
    assert_served_again(hawker, url, blob)


def test_a_broken_body_of_unknown_length_is_seen_to_be_broken_by_a_client_that_closes(start_hawker, blob, url):
    hawker = start_hawker({"fetch.attempts": 1})
    blob.fault(chunked()).fault(reset(3 * MIB))
    answer = hawker.fetch(url, headers={"Connection": "close"})
    assert answer.header("Transfer-Encoding") == "chunked"  # the end of the connection alone would look like the end of the body
    assert_not_wrong(answer, blob)


@pytest.mark.parametrize("shift", [1, 4 * MIB])
@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
def test_a_wrong_content_range_is_never_believed(start_hawker, blob, url, shift, times):
    hawker = start_hawker({"fetch.attempts": 2})
    blob.fault(wrong_content_range(shift), times=times)
    assert_not_wrong(hawker.fetch(url), blob)
    part = hawker.fetch(url, headers={"Range": "bytes=100-199"})
    if part.status == 206:  # the right range, or the origin's own answer with its own label
        start = int(part.header("Content-Range").removeprefix("bytes ").partition("-")[0])
        assert part.body == blob.content.bytes(start, start + 100)
    assert_served_again(hawker, url, blob)


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
def test_an_empty_206_is_not_an_object(start_hawker, blob, url, times):
    hawker = start_hawker({"fetch.attempts": 2})
    blob.fault(empty_partial(), times=times)
    assert_not_wrong(hawker.fetch(url), blob)
    assert_served_again(hawker, url, blob)


@pytest.mark.parametrize("connections", [1, 4])
def test_an_etag_that_changes_half_way_is_never_a_mixed_body(start_hawker, origin, connections):
    hawker = start_hawker({"fetch.connections": connections})
    old, new = Content(24 * MIB, seed=1), Content(24 * MIB, seed=2)
    blob = origin.add("/shared/blob", old)

    def change(answer):
        blob.replace(new)

    # The first transfer is cut; every later one is of the new representation.
    blob.fault(truncated(5 * MIB), times=1).fault(change, times=1)
    answer = hawker.fetch(origin.url("/shared/blob"))
    assert answer.body in (old.bytes(0, answer.length), new.bytes(0, answer.length))
    assert not answer.complete or answer.sha256 in (old.sha256(), new.sha256())
    assert_right(hawker.fetch(origin.url("/shared/blob")), blob)


def test_readers_of_a_changing_object_all_see_one_representation(hawker, origin):
    old, new = Content(16 * MIB, seed=1), Content(16 * MIB, seed=2)
    go_on = threading.Event()
    blob = origin.add("/shared/blob", old).fault(stalled(2 * MIB, go_on), times=8)
    crowd = Crowd()
    for _ in range(8):
        crowd.start(hawker.fetch, origin.url("/shared/blob"))
    eventually(lambda: blob.bytes_sent >= 2 * MIB, "two MiB")
    blob.heal()
    blob.replace(new)
    origin.drop_connections()
    go_on.set()
    for answer in crowd.join():
        assert answer.status != 200 or answer.body in (old.bytes(0, answer.length), new.bytes(0, answer.length))
    assert_right(hawker.fetch(origin.url("/shared/blob")), blob)


def test_without_any_validator_the_bytes_still_come(hawker, origin):
    blob = origin.add("/shared/blob", Content(12 * MIB), etag=None, last_modified=None)
    for _ in range(2):
        assert_right(hawker.fetch(origin.url("/shared/blob")), blob)


def test_a_weak_etag_alone_never_joins_two_transfers(start_hawker, origin):
    hawker = start_hawker({"fetch.attempts": 2})
    blob = origin.add("/shared/blob", Content(12 * MIB), etag='W/"weak"', last_modified=None)
    blob.fault(truncated(3 * MIB), times=1)
    assert_not_wrong(hawker.fetch(origin.url("/shared/blob")), blob)
    assert_right(hawker.fetch(origin.url("/shared/blob")), blob)


def test_a_redirect_is_the_clients_unless_the_rule_says_otherwise(hawker, origin, other_origin):
    target = other_origin.add("/there", Content(1 * MIB))
    origin.add("/shared/blob").fault(redirect(other_origin.url("/there")))
    origin.add("/follow/blob").fault(redirect(other_origin.url("/there")))
    assert hawker.fetch(origin.url("/shared/blob")).status == 302
    assert target.requests == []
    assert_right(hawker.fetch(origin.url("/follow/blob")), target)


def test_a_circle_of_redirects_ends(hawker, origin):
    origin.add("/follow/a").fault(redirect(origin.url("/follow/b")))
    origin.add("/follow/b").fault(redirect(origin.url("/follow/a")))
    assert hawker.fetch(origin.url("/follow/a")).status in (302, 502, 508)


def test_a_redirect_inside_obeys_the_destination_policy(start_hawker, origin):
    hawker = start_hawker({"destinations.allow": ["127.0.0.1/32"]})
    origin.add("/follow/blob").fault(redirect("http://127.0.0.2:9/secret"))
    assert hawker.fetch(origin.url("/follow/blob")).status in (302, 403, 502)


def digest_blob(origin):
    content = Content(9 * MIB)
    return origin.add(f"/sha256/{content.sha256()}", content)


def test_wrong_bytes_under_a_known_digest_are_cut_and_fetched_again(hawker, origin):
    blob = digest_blob(origin).fault(wrong_bytes())
    cut = hawker.fetch(origin.url(blob.path))
    assert not cut.complete
    assert_served_again(hawker, origin.url(blob.path), blob)


def test_wrong_bytes_under_a_known_digest_reach_no_joined_client_whole(hawker, origin):
    blob = digest_blob(origin).fault(wrong_bytes())
    for answer in all_at_once(5, lambda _: hawker.fetch(origin.url(blob.path))):
        assert not answer.complete


@pytest.mark.parametrize("size", [1, 10 * KIB, 300 * KIB])
def test_a_small_object_with_wrong_bytes_under_a_known_digest_is_refused(hawker, origin, size):
    # The whole fetch may be over before its reader is there, or not: ask often enough to see both.
    for seed in range(10):
        content = Content(size, seed)
        blob = origin.add(f"/sha256/{content.sha256()}", content).fault(wrong_bytes())
        answer = hawker.fetch(origin.url(blob.path))
        assert (answer.status, answer.complete) == (200, False) or answer.status == 502, answer
        assert_served_again(hawker, origin.url(blob.path), blob)


@pytest.mark.parametrize("page", [html_page(), json_error()], ids=["html", "json"])
def test_a_page_where_a_binary_object_was_asked_for_is_passed_on_but_not_kept(hawker, origin, page):
    blob = origin.add("/binary/blob", Content(2 * MIB)).fault(page, times=1)
    odd = hawker.fetch(origin.url("/binary/blob"))
    assert odd.status == 200 and odd.header("Content-Type") != "application/octet-stream"
    assert_served_again(hawker, origin.url("/binary/blob"), blob)


@pytest.mark.parametrize("page", [html_page(), json_error()], ids=["html", "json"])
def test_a_page_in_mid_fetch_is_never_taken_for_the_rest_of_the_object(start_hawker, blob, url, page):
    hawker = start_hawker({"fetch.connections": 1, "fetch.attempts": 2})
    blob.fault(truncated(3 * MIB), times=1)
    blob.fault(page, when=lambda request: blob.bytes_sent >= 3 * MIB)
    assert_not_wrong(hawker.fetch(url), blob)
    assert_served_again(hawker, url, blob)


@pytest.mark.parametrize("page", [html_page(), json_error()], ids=["html", "json"])
def test_a_page_under_a_known_digest_is_not_kept(hawker, origin, page):
    blob = digest_blob(origin).fault(page)
    hawker.fetch(origin.url(blob.path))
    assert_served_again(hawker, origin.url(blob.path), blob)


def test_set_cookie_of_one_client_never_reaches_another(hawker, blob, url):
    blob.fault(with_headers(Set_Cookie="session=1"), times=1)
    hawker.fetch(url)
    assert hawker.fetch(url).header("Set-Cookie") is None


def test_an_origin_that_hangs_up_without_a_word_is_a_502(start_hawker, blob, url):
    hawker = start_hawker({"fetch.attempts": 2})
    blob.fault(no_answer())
    answer = hawker.fetch(url)
    assert answer.status == 502
    assert "hawker" in answer.header("Proxy-Status")
    assert_served_again(hawker, url, blob)


@pytest.mark.parametrize("path", ["/shared/late", "/plain/late"])
def test_an_origin_that_never_begins_is_a_504(start_hawker, origin, path):
    hawker = start_hawker({"origin.first_byte_timeout": "500ms", "origin.connect_timeout": "1s", "fetch.attempts": 2})
    origin.add(path).fault(late_head(threading.Event()))
    answer = hawker.fetch(origin.url(path))
    assert answer.status == 504
    assert answer.header("Content-Type").startswith("text/plain")


@pytest.mark.parametrize("path", ["/shared/gone", "/plain/gone"])
def test_a_refused_connection_is_a_502_with_a_reason(start_hawker, path):
    hawker = start_hawker({"fetch.attempts": 2})
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it
        answer = hawker.fetch(f"http://127.0.0.1:{unheard.getsockname()[1]}{path}")
    assert answer.status == 502
    assert "connection_refused" in answer.header("Proxy-Status")
    assert answer.text.count("\n") <= 1


def test_a_name_that_does_not_exist_is_a_502_with_a_reason(hawker):
    answer = hawker.fetch("http://no-such-host.invalid/shared/x")
    assert answer.status == 502
    assert "dns_error" in answer.header("Proxy-Status")


def test_a_certificate_we_do_not_trust_is_a_502_with_a_reason(start_hawker, tls_origin):
    tls_origin.add("/tls/blob")
    hawker = start_hawker({"origin.ca_file": "/etc/ssl/certs/ca-certificates.crt"})
    answer = hawker.fetch(tls_origin.url("/tls/blob", scheme="http"))
    assert answer.status == 502
    assert "tls_certificate_error" in answer.header("Proxy-Status")


def test_the_first_byte_comes_while_the_rest_is_still_on_its_way(hawker, blob, url):
    go_on = threading.Event()
    blob.fault(stalled(100 * KIB, go_on), times=1)
    with hawker.connect(timeout=patience(10)) as client:
        client.request("GET", url)
        assert client.response(most=90 * KIB).length >= 90 * KIB
        go_on.set()


def test_an_origin_that_says_nothing_to_an_empty_post_is_given_up(start_hawker, origin):
    hawker = start_hawker({"origin.first_byte_timeout": "500ms"})
    origin.add("/other/silent").fault(late_head(threading.Event()))
    answer = hawker.fetch(origin.url("/other/silent"), "POST", {"Content-Length": "0"})
    assert answer.status == 504, "libcurl never asks for a byte of such a body"

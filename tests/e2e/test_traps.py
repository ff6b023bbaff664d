"""The twenty traps that a well-known cache of this kind fell into; each is one test (some have two sides)."""

import threading

import pytest

from harness import small_disk
from harness.content import KIB, MIB, Content, Text
from harness.crowd import Crowd
from harness.origin_answer import (chunked, gzipped, ignores_ranges, late_head, ok_with_content_range, redirect, stalled,
                                   status, truncated)
from harness.rules import HOST, rule
from harness.signing import secret
from harness.waiting import eventually


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_trap_01_a_method_other_than_get_on_a_matching_url_reaches_the_origin(hawker, origin, method):
    blob = origin.add("/shared/blob", Content(100 * KIB))
    hawker.fetch_until_stored(origin.url("/shared/blob"))
    answer = hawker.fetch(origin.url("/shared/blob"), method, body=b"new words")
    assert answer.text == "received 9 bytes"
    assert blob.requests[-1].method == method
    assert blob.received == b"new words"


def test_trap_02_an_origin_that_ignores_range_never_gives_wrong_bytes(hawker, origin):
    blob = origin.add("/shared/blob", Content(9 * MIB)).fault(ignores_ranges())
    part = hawker.fetch(origin.url("/shared/blob"), headers={"Range": f"bytes={5 * MIB}-{5 * MIB + 99}"})
    if part.status == 206:
        assert part.body == blob.content.bytes(5 * MIB, 5 * MIB + 100)
    else:
        assert (part.status, part.sha256) == (200, blob.content.sha256())
    for _ in range(2):
        assert hawker.fetch(origin.url("/shared/blob")).sha256 == blob.content.sha256()


def test_trap_03_fewer_bytes_than_announced_are_never_a_complete_answer(hawker, origin):
    blob = origin.add("/shared/blob", Content(3 * MIB)).fault(truncated(1 * MIB))
    short = hawker.fetch(origin.url("/shared/blob"))
    assert not short.complete or short.sha256 == blob.content.sha256()
    blob.heal()
    assert hawker.fetch(origin.url("/shared/blob")).sha256 == blob.content.sha256()


def test_trap_04_a_range_comes_as_206_and_a_200_with_content_range_is_not_taken_for_the_whole(hawker, origin):
    blob = origin.add("/shared/blob", Content(9 * MIB)).fault(ok_with_content_range())
    wanted = {"Range": f"bytes={5 * MIB}-{5 * MIB + 99}"}
    odd = hawker.fetch(origin.url("/shared/blob"), headers=wanted)
    assert odd.status != 206 or odd.body == blob.content.bytes(5 * MIB, 5 * MIB + 100)
    blob.heal()
    assert hawker.fetch(origin.url("/shared/blob")).sha256 == blob.content.sha256()
    part = hawker.fetch(origin.url("/shared/blob"), headers=wanted)
    assert (part.status, part.header("Content-Range")) == (206, f"bytes {5 * MIB}-{5 * MIB + 99}/{9 * MIB}")
    assert part.body == blob.content.bytes(5 * MIB, 5 * MIB + 100)


def test_trap_05_a_chunked_answer_without_length_arrives_whole(hawker, origin):
    blob = origin.add("/shared/blob", Content(5 * MIB + 3)).fault(chunked())
    for _ in range(2):
        answer = hawker.fetch(origin.url("/shared/blob"))
        assert (answer.status, answer.complete, answer.sha256) == (200, True, blob.content.sha256())


def test_trap_06_a_zero_byte_object_is_an_empty_success(hawker, origin):
    origin.add("/shared/empty", Text(b""))
    for _ in range(2):
        answer = hawker.fetch(origin.url("/shared/empty"))
        assert (answer.status, answer.complete, answer.length) == (200, True, 0)
    ranged = hawker.fetch(origin.url("/shared/empty"), headers={"Range": "bytes=0-0"})
    assert ranged.status == 416
    assert ranged.header("Content-Range") == "bytes */0"


def test_trap_07_a_url_signed_for_get_is_never_tried_with_head(hawker, origin):
    blob = origin.add("/verify/blob", Content(5 * MIB), signed=True, get_only=True)
    for _ in range(2):
        assert hawker.fetch(origin.signed_url("/verify/blob")).sha256 == blob.content.sha256()
    assert {request.method for request in blob.requests} == {"GET"}


def test_trap_08_a_signature_over_range_and_host_sees_both_unchanged(start_hawker, origin):
    hawker = start_hawker(rules=[rule("s3", HOST + "/s3/", key={"strip": ["aws-sigv4"]}, access="shared")])
    blob = origin.add("/s3/blob", Content(9 * MIB))
    signed = "&".join(["X-Amz-Algorithm=AWS4-HMAC-SHA256", f"X-Amz-Credential={secret('id')}%2F20260101",
                       "X-Amz-Date=20260101T000000Z", "X-Amz-Expires=3600", "X-Amz-SignedHeaders=host%3Brange",
                       f"X-Amz-Signature={secret('signature')}"])
    for _ in range(2):
        part = hawker.fetch(origin.url("/s3/blob", signed), headers={"Range": "bytes=5-9"})
        assert (part.status, part.body) == (206, blob.content.bytes(5, 10))
    assert [request.header("Range") for request in blob.requests] == ["bytes=5-9"] * 2
    assert {request.header("Host") for request in blob.requests} == {origin.host}


def test_trap_09_a_redirect_to_another_origin_carries_no_credentials(hawker, origin, other_origin):
    target = other_origin.add("/store/blob", Content(1 * MIB))
    start = origin.add("/follow/blob").fault(redirect(other_origin.url("/store/blob")))
    token, cookie = secret("bearer"), secret("cookie")
    answer = hawker.fetch(origin.url("/follow/blob"), headers={"Authorization": f"Bearer {token}", "Cookie": f"id={cookie}"})
    assert answer.status in (200, 302)
    if answer.status == 200:
        assert answer.sha256 == target.content.sha256()
    assert start.requests[0].header("Authorization") == f"Bearer {token}"
    for request in target.requests:
        assert request.header("Authorization") is None
        assert request.header("Cookie") is None


def test_trap_09_without_credentials_the_redirect_is_followed_inside(hawker, origin, other_origin):
    target = other_origin.add("/store/blob", Content(1 * MIB))
    origin.add("/follow/blob").fault(redirect(other_origin.url("/store/blob")))
    for _ in range(2):
        answer = hawker.fetch(origin.url("/follow/blob"))
        assert (answer.status, answer.sha256) == (200, target.content.sha256())


def test_trap_10_a_redirect_target_that_expired_is_asked_for_again(hawker, origin, other_origin):
    target = other_origin.add("/store/blob", Content(8 * MIB), signed=True)
    handed_out = []

    def fresh_redirect(request, answer):
        handed_out.append(other_origin.signer.query("/store/blob"))
        redirect(other_origin.url("/store/blob", handed_out[-1]))(answer)

    origin.add_handler("/follow/blob", fresh_redirect)
    go_on = threading.Event()
    target.fault(stalled(1 * MIB, go_on), times=1)
    crowd = Crowd()
    crowd.start(hawker.fetch, origin.url("/follow/blob"))
    eventually(lambda: target.bytes_sent >= 1 * MIB, "the first MiB")
    for query in handed_out:
        other_origin.signer.revoke(query)
    other_origin.drop_connections()
    go_on.set()
    (answer,) = crowd.join()
    assert answer.sha256 == target.content.sha256()


def test_trap_10_a_redirect_goes_to_the_client_and_is_not_stored(hawker, origin, other_origin):
    blob = origin.add("/shared/blob")
    for location in (other_origin.url("/x", "n=1"), other_origin.url("/x", "n=2")):
        blob.fault(redirect(location), times=1)
        answer = hawker.fetch(origin.url("/shared/blob"))
        assert (answer.status, answer.header("Location")) == (302, location)


def test_trap_11_gzip_for_one_client_is_not_stored_for_another(hawker, origin):
    blob = origin.add("/shared/blob", Content(300 * KIB))
    blob.fault(gzipped(), when=lambda request: "gzip" in (request.header("Accept-Encoding") or ""))
    hawker.fetch(origin.url("/shared/blob"), headers={"Accept-Encoding": "gzip"})
    plain = hawker.fetch(origin.url("/shared/blob"))
    assert plain.header("Content-Encoding") is None
    assert plain.sha256 == blob.content.sha256()


def test_trap_11_an_encoding_nobody_asked_for_is_passed_on_but_not_kept(hawker, origin):
    blob = origin.add("/shared/blob", Content(300 * KIB)).fault(gzipped(), times=1)
    assert hawker.fetch(origin.url("/shared/blob")).header("Content-Encoding") == "gzip"
    plain = hawker.fetch(origin.url("/shared/blob"))
    assert (plain.header("Content-Encoding"), plain.sha256) == (None, blob.content.sha256())


def test_trap_12_an_object_that_changes_in_mid_fetch_is_never_mixed(hawker, origin):
    before, after = Content(12 * MIB, seed=1), Content(12 * MIB, seed=2)
    go_on = threading.Event()
    blob = origin.add("/shared/blob", before).fault(stalled(1 * MIB, go_on), times=8)
    crowd = Crowd()
    crowd.start(hawker.fetch, origin.url("/shared/blob"))
    eventually(lambda: blob.bytes_sent >= 1 * MIB, "the first MiB")
    blob.heal()
    blob.replace(after)
    origin.drop_connections()
    go_on.set()
    (cut,) = crowd.join()
    assert not cut.complete or cut.sha256 in (before.sha256(), after.sha256())
    assert cut.body in (before.bytes(0, cut.length), after.bytes(0, cut.length))
    assert hawker.fetch(origin.url("/shared/blob")).sha256 == after.sha256()


def test_trap_13_the_first_requester_hangs_up_and_the_second_gets_all_of_it(hawker, origin):
    go_on = threading.Event()
    blob = origin.add("/shared/blob", Content(16 * MIB)).fault(stalled(2 * MIB, go_on), times=1)
    first = hawker.connect()
    first.request("GET", origin.url("/shared/blob"))
    assert first.response(most=1 * MIB).length >= 1 * MIB
    with hawker.connect() as second:
        second.request("GET", origin.url("/shared/blob"))
        assert second.response(most=1 * MIB).status == 200
    crowd = Crowd()
    crowd.start(hawker.fetch, origin.url("/shared/blob"))
    first.abort()
    go_on.set()
    (answer,) = crowd.join()
    assert answer.sha256 == blob.content.sha256()
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_trap_14_when_the_owner_of_a_shared_fetch_fails_the_others_do_not(hawker, origin):
    owners = origin.signer.query("/verify/blob")
    go_on = threading.Event()
    blob = origin.add("/verify/blob", Content(5 * MIB), signed=True)
    blob.fault(status(500), when=lambda request: request.query == owners)
    blob.fault(late_head(go_on), when=lambda request: request.query == owners)
    crowd = Crowd()
    crowd.start(hawker.fetch, origin.url("/verify/blob", owners))
    eventually(lambda: blob.requests, "the owner's request")
    crowd.start(hawker.fetch, origin.signed_url("/verify/blob"))
    go_on.set()
    _, other = crowd.join()
    assert (other.status, other.sha256) == (200, blob.content.sha256())


@pytest.mark.skipif(not small_disk.possible(), reason="needs to mount a tmpfs")
def test_trap_15_a_disk_that_fills_in_mid_fetch_costs_the_client_nothing(start_hawker, origin, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    hawker = start_hawker({"cache.directory": str(disk), "cache.min_free": "0", "cache.map_size": "64MiB"},
                          wrapper=small_disk.wrapper(disk, "16m"))
    blob = origin.add("/shared/blob", Content(40 * MIB))
    answer = hawker.fetch(origin.url("/shared/blob"), collect=False)
    assert (answer.complete, answer.sha256) == (True, blob.content.sha256())


def test_trap_16_a_restart_in_mid_fetch_leaves_nothing_wrong_behind(hawker, origin):
    go_on = threading.Event()
    blob = origin.add("/shared/blob", Content(16 * MIB)).fault(stalled(10 * MIB, go_on), times=1)
    crowd = Crowd()
    crowd.start(hawker.fetch, origin.url("/shared/blob"))
    eventually(lambda: blob.bytes_sent >= 10 * MIB, "ten MiB")
    hawker.kill()
    (cut,) = crowd.join()
    assert not cut.complete
    hawker.restart()
    go_on.set()
    for _ in range(2):
        assert hawker.fetch(origin.url("/shared/blob")).sha256 == blob.content.sha256()


def test_trap_17_repeated_and_reordered_parameters_are_different_objects(hawker, origin):
    origin.add_handler("/shared/blob", lambda request, answer: status(200, request.query.encode())(answer))
    queries = ["a=1&a=2", "a=2&a=1", "a=1", "a=2", "a=1&b=2", "b=2&a=1", "a", "a=", "", "A=1", "a=1&a=1"]
    for query in queries * 2:
        answer = hawker.fetch(origin.url("/shared/blob", query))
        assert (answer.status, answer.text) == (200, query)


@pytest.mark.parametrize("value", ["", "tokenwithoutscheme", "Bearer", "B\xe9arer \xff\xfe", "Basic ====", ","])
@pytest.mark.parametrize("path", ["/verify/blob", "/plain/blob"])
def test_trap_18_an_odd_credential_header_arrives_as_it_was_sent(hawker, origin, path, value):
    blob = origin.add(path, Content(10 * KIB))
    answer = hawker.fetch(origin.url(path), headers={"Authorization": value})
    assert (answer.status, answer.sha256) == (200, blob.content.sha256())
    assert (blob.requests[0].header("Authorization") or "") == value


def test_trap_19_tls_bytes_on_the_plain_port_are_refused_at_once(hawker):
    hello = bytes.fromhex("160301 0200 010001fc 0303".replace(" ", "")) + bytes(range(256)) * 2
    with hawker.connect() as client:
        client.send(hello)
        answer = client.read_to_end()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert hawker.get_admin("/healthz")


def test_trap_20_a_slow_reader_does_not_hold_up_a_fast_one(hawker, origin):
    blob = origin.add("/shared/blob", Content(64 * MIB))
    with hawker.connect(receive_buffer=16 * KIB) as slow:
        slow.request("GET", origin.url("/shared/blob"))
        eventually(slow.has_input, "the slow reader's first byte")
        fast = hawker.fetch(origin.url("/shared/blob"), collect=False)
        assert fast.sha256 == blob.content.sha256()
        assert slow.response(collect=False).sha256 == blob.content.sha256()
    assert blob.bytes_sent <= 1.01 * blob.content.size

"""One origin transfer, however many clients: what leaves the origin is one representation, whatever the crowd does."""

import threading

import pytest

from harness.content import KIB, MIB, Content
from harness.crowd import Crowd, all_at_once
from harness.origin_answer import late_head, paced, stalled
from harness.waiting import eventually

CLIENTS = 50


def assert_sent_once(resource):
    assert resource.bytes_sent <= 1.01 * resource.content.size, f"{resource.bytes_sent / resource.content.size:.3f} x"


@pytest.mark.heavy
def test_fifty_clients_of_one_cold_object_cost_the_origin_one_transfer(hawker, origin):
    blob = origin.add("/verify/model", Content(256 * MIB), signed=True)
    urls = [origin.signed_url("/verify/model") for _ in range(CLIENTS)]
    answers = all_at_once(CLIENTS, lambda n: hawker.fetch(urls[n], collect=False), within=240)
    assert {(answer.status, answer.sha256) for answer in answers} == {(200, blob.content.sha256())}
    assert_sent_once(blob)


def test_fifty_clients_of_a_smaller_object_cost_the_origin_one_transfer(hawker, origin):
    blob = origin.add("/verify/model", Content(20 * MIB), signed=True)
    urls = [origin.signed_url("/verify/model") for _ in range(CLIENTS)]
    answers = all_at_once(CLIENTS, lambda n: hawker.fetch(urls[n], collect=False))
    assert {(answer.status, answer.sha256) for answer in answers} == {(200, blob.content.sha256())}
    assert_sent_once(blob)


@pytest.mark.heavy
def test_fifty_clients_that_each_want_another_range_cost_the_origin_one_transfer(hawker, origin):
    size = 256 * MIB
    blob = origin.add("/verify/model", Content(size), signed=True)
    share = size // CLIENTS + 100 * KIB  # neighbours overlap

    def ask(number):
        start = size * number // CLIENTS
        stop = min(size, start + share)
        answer = hawker.fetch(origin.signed_url("/verify/model"), headers={"Range": f"bytes={start}-{stop - 1}"},
                              collect=False)
        assert (answer.status, answer.header("Content-Range")) == (206, f"bytes {start}-{stop - 1}/{size}")
        assert answer.sha256 == blob.content.sha256(start, stop)

    all_at_once(CLIENTS, ask)
    assert_sent_once(blob)


def test_when_the_first_client_leaves_the_others_still_get_it_from_one_transfer(hawker, origin):
    go_on = threading.Event()
    blob = origin.add("/verify/model", Content(32 * MIB), signed=True).fault(stalled(4 * MIB, go_on), times=1)
    first = hawker.connect()
    first.request("GET", origin.signed_url("/verify/model"))
    assert first.response(most=1 * MIB).length >= 1 * MIB
    crowd = Crowd()
    for _ in range(CLIENTS - 1):
        crowd.start(hawker.fetch, origin.signed_url("/verify/model"), collect=False)
    first.abort()
    go_on.set()
    assert {answer.sha256 for answer in crowd.join()} == {blob.content.sha256()}
    assert_sent_once(blob)


def test_when_everybody_has_left_the_fetch_is_finished_for_the_next(hawker, origin):
    blob = origin.add("/shared/model", Content(24 * MIB)).fault(paced(16 * MIB), times=1)
    with hawker.connect() as only:
        only.request("GET", origin.url("/shared/model"))
        key = only.response(most=1 * MIB).cache_status["key"]
    eventually(lambda: (hawker.task(key) or {}).get("complete"), "the abandoned fetch is finished", within=20)
    answer = hawker.fetch(origin.url("/shared/model"))
    assert answer.sha256 == blob.content.sha256()
    assert answer.cache_status.get("hit")
    assert_sent_once(blob)


def test_with_on_abandon_stop_the_origin_is_left_alone(start_hawker, origin):
    hawker = start_hawker({"fetch.on_abandon": "stop"})
    blob = origin.add("/shared/model", Content(256 * MIB)).fault(paced(8 * MIB))
    with hawker.connect() as only:
        only.request("GET", origin.url("/shared/model"))
        only.response(most=1 * MIB)
    eventually(lambda: blob.active == 0, "the transfer is stopped", within=15)
    assert blob.bytes_sent < 128 * MIB


def test_when_the_first_signature_expires_half_way_another_client_carries_on(hawker, origin):
    size = 32 * MIB
    blob = origin.add("/verify/model", Content(size), signed=True)
    firsts = origin.signer.query("/verify/model")
    go_on = threading.Event()
    blob.fault(stalled(size // 4, go_on), times=1, when=lambda request: request.query == firsts)
    crowd = Crowd()
    crowd.start(hawker.fetch, origin.url("/verify/model", firsts), collect=False)
    eventually(lambda: blob.bytes_sent >= size // 2, "a good part of it")
    for _ in range(CLIENTS - 1):
        crowd.start(hawker.fetch, origin.signed_url("/verify/model"), collect=False)
    # Every follower has asked the origin for its own yes.
    eventually(lambda: len({request.query for request in blob.requests}) == CLIENTS, "all clients have joined", within=20)
    assert blob.bytes_sent < size, "the first one's transfer stands still"
    origin.signer.revoke(firsts)
    origin.drop_connections()
    go_on.set()
    assert {(answer.complete, answer.sha256) for answer in crowd.join()} == {(True, blob.content.sha256())}
    # What was under way on the connections that broke may be sent twice; the whole may not.
    assert blob.bytes_sent <= 1.3 * size


def test_a_joined_miss_gets_bytes_as_they_land(hawker, origin):
    go_on = threading.Event()
    blob = origin.add("/shared/model", Content(8 * MIB)).fault(stalled(300 * KIB, go_on), times=1)
    with hawker.connect() as first, hawker.connect() as second:
        for client in (first, second):
            client.request("GET", origin.url("/shared/model"))
        # Far less than a piece has come, and both already read it.
        for client in (first, second):
            assert client.response(most=200 * KIB).length >= 200 * KIB
        go_on.set()
    assert hawker.fetch(origin.url("/shared/model")).sha256 == blob.content.sha256()


def test_a_crowd_before_the_origins_first_byte_is_one_request(hawker, origin):
    go_on = threading.Event()
    blob = origin.add("/shared/small", Content(10 * KIB)).fault(late_head(go_on))
    crowd = Crowd()
    for _ in range(20):
        crowd.start(hawker.fetch, origin.url("/shared/small"))
    eventually(lambda: blob.requests, "the first request")
    eventually(lambda: hawker.metrics() and len(blob.requests) >= 1, "the crowd")
    go_on.set()
    assert {answer.sha256 for answer in crowd.join()} == {blob.content.sha256()}
    assert len(blob.requests) == 1


def test_cache_status_tells_the_one_who_fetched_from_those_who_joined(hawker, origin):
    go_on = threading.Event()
    origin.add("/shared/model", Content(8 * MIB)).fault(stalled(1 * MIB, go_on), times=1)
    with hawker.connect() as first, hawker.connect() as second:
        first.request("GET", origin.url("/shared/model"))
        miss = first.response(most=100 * KIB).cache_status
        second.request("GET", origin.url("/shared/model"))
        joined = second.response(most=100 * KIB).cache_status
        go_on.set()
    assert miss.get("fwd") == "uri-miss" and miss.get("stored") and not miss.get("collapsed")
    assert joined.get("collapsed") and not joined.get("hit")
    assert miss["key"] == joined["key"]

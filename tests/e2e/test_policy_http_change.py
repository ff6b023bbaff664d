"""`policy: http` when things change or go wrong: stale answers, invalidation, parts, clients that leave, disks that are full."""

import threading

import pytest

from harness import origin_answer as faults, small_disk
from harness.content import MIB, Content
from harness.crowd import all_at_once, fetching
from harness.origin_resource import aged
from harness.signing import secret
from harness.waiting import eventually

FIRST, SECOND = Content(2 * MIB, seed=11), Content(3 * MIB, seed=12)


# Stale --------------------------------------------------------------------------------------------------------------------


def test_stale_while_revalidate_asks_once_behind_the_answers(hawker, origin):
    page = origin.add("/http/behind", FIRST, headers=aged(700, "max-age=600, stale-while-revalidate=3600"))
    hawker.fetch_until_stored(origin.url("/http/behind"))
    page.replace(SECOND)
    page.headers = {"Cache-Control": "max-age=600"}
    go_on = threading.Event()
    page.fault(faults.late_head(go_on), times=1)
    for _ in range(3):
        answer = hawker.fetch(origin.url("/http/behind"))
        assert answer.sha256 == FIRST.sha256() and answer.cache_status.get("hit")
    eventually(lambda: len(page.requests) == 2, "the revalidation")
    go_on.set()
    eventually(lambda: hawker.fetch(origin.url("/http/behind")).sha256 == SECOND.sha256(), "the new content")
    assert len(page.requests) == 2


def test_a_shutdown_does_not_wait_for_what_is_asked_behind(hawker, origin):
    page = origin.add("/http/behind-the-end", FIRST, headers=aged(700, "max-age=600, stale-while-revalidate=3600"))
    hawker.fetch_until_stored(origin.url("/http/behind-the-end"))
    page.fault(faults.late_head(threading.Event()))
    hawker.fetch(origin.url("/http/behind-the-end"))
    eventually(lambda: len(page.requests) == 2, "the revalidation")
    assert hawker.stop() == 0


@pytest.mark.parametrize("failure", [faults.status(503), faults.no_answer()])
def test_stale_if_error_stands_in_for_an_origin_that_fails(hawker, origin, failure):
    kept = origin.add("/http/stands-in", FIRST, headers=aged(700, "max-age=600, stale-if-error=3600"))
    strict = origin.add("/http/strict", FIRST, headers=aged(700, "max-age=600, stale-if-error=3600, must-revalidate"))
    for page in (kept, strict):
        hawker.fetch_until_stored(origin.url(page.path))
        page.fault(failure)
    answer = hawker.fetch(origin.url("/http/stands-in"))
    assert (answer.status, answer.sha256) == (200, FIRST.sha256()) and int(answer.header("Age")) >= 700
    assert answer.cache_status["detail"] == "stale-if-error"
    assert hawker.fetch(origin.url("/http/strict")).status >= 500


# Changes ------------------------------------------------------------------------------------------------------------------


def test_an_answer_to_post_is_for_later_gets_where_the_origin_says_so(hawker, origin):
    said = {}

    def answer_to(request, answer):
        if request.method == "POST":
            answer.become(200, {"Content-Type": "text/plain", **said}, b"posted " + request.body)
        else:
            answer.become(200, {"Content-Type": "text/plain", "Cache-Control": "no-store"}, b"got")

    fresh = {"Cache-Control": "max-age=600"}
    credentials = {"Authorization": f"Bearer {secret('token')}"}
    cases = [({**fresh, "Content-Location": "/http/posted-0"}, {}, True), (fresh, {}, False), ({"Content-Location": "/http/posted-2"}, {}, False),
             ({**fresh, "Content-Location": "/http/elsewhere"}, {}, False), ({**fresh, "Content-Location": "/http/posted-4"}, credentials, False),
             ({**fresh, "Content-Location": "/http/posted-5", "Set-Cookie": "a=b"}, {}, False)]
    for number, (fields, headers, is_kept) in enumerate(cases):
        said.clear()
        said.update(fields)
        origin.add_handler(f"/http/posted-{number}", answer_to)
        url = origin.url(f"/http/posted-{number}")
        posted = hawker.fetch(url, method="POST", headers=headers, body=b"this")
        assert (posted.status, posted.text) == (200, "posted this")
        assert bool(posted.cache_status.get("stored")) == is_kept, number
        assert hawker.fetch(url).text == ("posted this" if is_kept else "got"), number
    # The next one takes its place, and one that does not say so takes it away.
    said.clear()
    said.update(cases[0][0])
    url = origin.url("/http/posted-0")
    hawker.fetch(url, method="POST", body=b"that")
    assert hawker.fetch(url).text == "posted that"
    said.clear()
    hawker.fetch(url, method="POST", body=b"more")
    assert hawker.fetch(url).text == "got"


def test_not_even_a_kill_brings_back_what_a_post_has_changed(start_hawker, origin):
    page = origin.add("/http/changed", FIRST, headers={"Cache-Control": "max-age=600"})
    hawker = start_hawker({"cache.commit_interval": "5s"})
    url = origin.url("/http/changed")
    for _ in range(3):
        hawker.fetch_until_stored(url)
        hawker.stop()  # writes down all that is known
        hawker.restart()
        assert hawker.fetch(url).cache_status.get("hit")
        page.fault(faults.status(204), times=1)
        assert hawker.fetch(url, method="POST").status == 204
        hawker.kill()
        hawker.restart()
        before = len(page.gets)
        assert not hawker.fetch(url).cache_status.get("hit")
        assert len(page.gets) == before + 1


@pytest.mark.parametrize("method, status, is_gone", [("POST", 200, True), ("DELETE", 204, True), ("PUT", 500, False)])
def test_an_unsafe_request_takes_away_what_is_stored(hawker, origin, method, status, is_gone):
    def handler(request, answer):
        if request.method not in ("GET", "HEAD"):
            answer.become(status, {"Location": "/http/other", "Content-Location": "http://elsewhere.example/http/far"})

    changed = origin.add("/http/changed", FIRST, headers={"Cache-Control": "max-age=600"})
    changed.handler = handler
    other = origin.add("/http/other", FIRST, headers={"Cache-Control": "max-age=600"})
    for page in (changed, other):
        hawker.fetch_until_stored(origin.url(page.path))
    assert hawker.fetch(origin.url("/http/changed"), method, body=b"new").status == status
    hits = [bool(hawker.fetch(origin.url(page.path)).cache_status.get("hit")) for page in (changed, other)]
    assert hits == [not is_gone, not is_gone]


def test_a_not_modified_renews_what_is_stored_in_this_life_and_the_next(hawker, origin):
    page = origin.add("/http/renewed", FIRST, headers={**aged(700, "max-age=600"), "X-Version": "1"})
    hawker.fetch_until_stored(origin.url("/http/renewed"))
    page.headers = {"Cache-Control": "max-age=600", "X-Version": "2"}
    renewed = hawker.fetch(origin.url("/http/renewed"))
    assert renewed.header("X-Version") == "2" and renewed.cache_status["fwd-status"] == "304"
    hawker.stop()
    hawker.restart()
    answer = hawker.fetch(origin.url("/http/renewed"))
    assert answer.cache_status.get("hit") and answer.header("X-Version") == "2" and answer.sha256 == FIRST.sha256()
    assert page.bytes_sent == FIRST.size


def test_a_head_that_names_another_content_takes_the_stored_one_away(hawker, origin):
    page = origin.add("/http/headed", FIRST, headers=aged(700, "max-age=600"))
    hawker.fetch_until_stored(origin.url("/http/headed"))
    page.headers = {"Cache-Control": "max-age=600"}
    assert hawker.fetch(origin.url("/http/headed"), "HEAD").status == 200
    assert hawker.fetch(origin.url("/http/headed")).cache_status.get("hit")  # the HEAD has renewed it
    page.replace(SECOND)
    hawker.fetch(origin.url("/http/headed"), "HEAD", headers={"Cache-Control": "no-cache"})
    assert hawker.fetch(origin.url("/http/headed")).sha256 == SECOND.sha256()


# Parts --------------------------------------------------------------------------------------------------------------------


def part_of(hawker, origin, path, first, last):
    return hawker.fetch(origin.url(path), headers={"Range": f"bytes={first}-{last}"})


def test_parts_are_put_together_and_only_the_gap_is_asked_for(hawker, origin):
    page = origin.add("/http/parts", FIRST, headers={"Cache-Control": "max-age=600"})
    for first, last in ((0, 999_999), (1_500_000, FIRST.size - 1)):
        hawker.wait_until_stored(part_of(hawker, origin, "/http/parts", first, last))
    inside = part_of(hawker, origin, "/http/parts", 10, 19)
    assert inside.body == FIRST.bytes(10, 20) and inside.header("Content-Range") == f"bytes 10-19/{FIRST.size}"
    assert len(page.requests) == 2
    whole = hawker.fetch(origin.url("/http/parts"))
    assert (whole.status, whole.sha256, whole.header("Content-Range")) == (200, FIRST.sha256(), None)
    assert page.requests[-1].header("Range") == "bytes=1000000-1499999"
    assert page.requests[-1].header("If-Range") == page.etag
    hawker.wait_until_stored(whole)
    assert hawker.fetch(origin.url("/http/parts")).sha256 == FIRST.sha256()
    assert len(page.requests) == 3 and page.bytes_sent == FIRST.size


@pytest.mark.parametrize("first, last", [(0, 99_999), (200_000, 299_999)])
def test_a_part_that_was_removed_costs_a_request_and_no_answer(hawker, origin, first, last):
    page = origin.add("/http/removed", FIRST, headers={"Cache-Control": "max-age=600"})
    part = part_of(hawker, origin, "/http/removed", first, last)
    hawker.wait_until_stored(part)
    hawker.get_admin(f"/tasks/{part.cache_status['key']}", "DELETE")
    whole = hawker.fetch(origin.url("/http/removed"))
    assert (whole.status, whole.sha256) == (200, FIRST.sha256())
    assert hawker.fetch(origin.url("/http/removed")).sha256 == FIRST.sha256()
    assert len(page.requests) <= 4


def test_parts_of_two_contents_never_meet(hawker, origin):
    page = origin.add("/http/torn", FIRST, headers={"Cache-Control": "max-age=600"})
    hawker.wait_until_stored(part_of(hawker, origin, "/http/torn", 0, 999_999))
    page.replace(SECOND)
    assert hawker.fetch(origin.url("/http/torn")).sha256 == SECOND.sha256()
    hawker.wait_until_stored(hawker.fetch(origin.url("/http/torn")))
    assert part_of(hawker, origin, "/http/torn", 0, 99).body == SECOND.bytes(0, 100)


def test_a_part_that_contradicts_itself_is_passed_on_and_not_kept(hawker, origin):
    def handler(request, answer):
        answer.become(206, {"Cache-Control": "max-age=600", "Content-Range": "bytes 4-9/10"}, b"01234")

    page = origin.add_handler("/http/contradiction", handler)
    for _ in range(2):
        assert hawker.fetch(origin.url("/http/contradiction"), headers={"Range": "bytes=-5"}).body == b"01234"
    assert len(page.requests) == 2


# What goes wrong ----------------------------------------------------------------------------------------------------------


def test_a_client_that_leaves_does_not_end_it_for_the_others(hawker, origin):
    large = Content(32 * MIB, seed=21)
    page = origin.add("/http/left", large, headers={"Cache-Control": "max-age=600"})
    go_on = threading.Event()
    page.fault(faults.stalled(8 * MIB, go_on), times=1)
    leaver = hawker.connect()
    leaver.request("GET", origin.url("/http/left"))
    leaver.response_head()
    crowd = fetching(hawker, origin.url("/http/left"), 2)
    eventually(lambda: page.bytes_sent >= 8 * MIB, "the first bytes")
    leaver.abort()
    go_on.set()
    answers = crowd.join()
    assert {answer.sha256 for answer in answers} == {large.sha256()} and len(page.requests) == 1


def test_what_has_come_whole_is_kept_though_its_client_left_in_the_middle(hawker, origin):
    large = Content(32 * MIB, seed=21)
    page = origin.add("/http/whole", large, headers={"Cache-Control": "max-age=600"})
    with hawker.connect() as leaver:
        leaver.request("GET", origin.url("/http/whole"))
        leaver.response_head()
        eventually(lambda: any(task.get("complete") for task in hawker.tasks()), "all of it is here")
        leaver.abort()  # it has read a head
    eventually(lambda: hawker.metrics()["hawker_connections"] <= 1, "the client is gone")
    assert hawker.fetch(origin.url("/http/whole")).sha256 == large.sha256() and len(page.requests) == 1


def test_what_was_replaced_does_not_come_back_when_its_successor_is_withdrawn(hawker, origin):
    page = origin.add("/http/back", FIRST, headers={"Cache-Control": "max-age=3600"})
    hawker.fetch_until_stored(origin.url("/http/back"))
    successor = Content(32 * MIB, seed=22)
    page.replace(successor)
    page.headers = {"Cache-Control": "max-age=1"}
    go_on = threading.Event()
    page.fault(faults.stalled(8 * MIB, go_on), times=1)
    with hawker.connect() as leaver:
        leaver.request("GET", origin.url("/http/back"), {"Cache-Control": "no-cache"})
        leaver.response_head()
        eventually(lambda: page.bytes_sent >= FIRST.size + 8 * MIB, "the first bytes")
        leaver.abort()
    eventually(lambda: hawker.metrics()["hawker_connections"] <= 1, "the client is gone")
    go_on.set()
    hawker.wait_until_idle()
    page.fault(faults.status(410))
    eventually(lambda: hawker.fetch(origin.url("/http/back")).status == 410, "it is stale, asked for, and withdrawn")
    assert hawker.fetch(origin.url("/http/back")).status == 410, "nor is there what it had replaced"


def test_a_body_that_breaks_off_is_cut_and_not_kept(hawker, origin):
    page = origin.add("/http/broken", FIRST, headers={"Cache-Control": "max-age=600"})
    page.fault(faults.truncated(MIB), times=1)
    broken = hawker.fetch(origin.url("/http/broken"))
    assert not broken.complete and broken.length <= MIB
    assert hawker.fetch(origin.url("/http/broken")).sha256 == FIRST.sha256()
    assert page.requests[-1].header("Range") is None


def test_a_body_of_unknown_length_is_kept_and_one_of_unknown_end_is_not(hawker, origin):
    for path, fault, is_kept in (("/http/chunked", faults.chunked(), True), ("/http/endless", faults.until_close(), False)):
        page = origin.add(path, FIRST, headers={"Cache-Control": "max-age=600"})
        page.fault(fault)
        for _ in range(2):
            answer = hawker.fetch(origin.url(path))
            assert answer.sha256 == FIRST.sha256()
            if answer.cache_status.get("stored"):
                hawker.wait_until_stored(answer)
        assert (len(page.requests) == 1) is is_kept


def test_what_the_cache_has_no_room_for_comes_from_the_same_answer(start_hawker, origin):
    hawker = start_hawker({"cache.max_size": "1MiB"})
    large = Content(8 * MIB, seed=22)
    sized = origin.add("/http/too-large", large, headers={"Cache-Control": "max-age=600"})
    endless = origin.add("/http/too-large-too", large, headers={"Cache-Control": "max-age=600"})
    endless.fault(faults.chunked())
    for page in (sized, endless):
        assert hawker.fetch(origin.url(page.path)).sha256 == large.sha256()
        assert len(page.requests) == 1


@pytest.mark.skipif(not small_disk.possible(), reason="needs to mount a tmpfs")
def test_every_client_gets_every_byte_when_the_disk_is_full(start_hawker, origin, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    hawker = start_hawker({"cache.directory": str(disk), "cache.min_free": "0", "cache.map_size": "64MiB"},
                          wrapper=small_disk.wrapper(disk, "24m"))
    large = Content(60 * MIB, seed=23)
    page = origin.add("/http/larger-than-the-disk", large, headers={"Cache-Control": "max-age=600"})
    page.fault(faults.chunked(), when=lambda request: request.header("Range") is None)
    for answer in all_at_once(4, lambda _: hawker.fetch(origin.url(page.path), collect=False)):
        assert (answer.status, answer.complete, answer.sha256) == (200, True, large.sha256())

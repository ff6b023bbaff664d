"""X-Dragonfly-*: clients of a dfdaemon say to hawker what they said to it, and hear what they heard."""

import pathlib

import pytest

from harness import origin_answer as answers
from harness.content import KIB, MIB, Content
from harness.rules import HOST, rule

BODY = Content(300 * KIB)


@pytest.mark.parametrize("path", ["/shared/a", "/pass/a"])
def test_no_field_of_dragonflys_reaches_an_origin(hawker, origin, path):
    model = origin.add(path, BODY)
    sent = {f"X-Dragonfly-{name}": value for name, value in {
        "Tag": "t", "Application": "a", "Priority": "6", "Registry": "http://elsewhere.example", "Output-Path": "/tmp/x"}.items()}
    assert hawker.fetch(origin.url(path), headers=sent).status == 200
    assert model.requests
    for request in model.requests:
        assert not any(name.lower().startswith("x-dragonfly") for name, _ in request.fields)


def test_tags_make_tasks_and_ours_stand_beside_theirs(hawker, origin):
    model = origin.add("/shared/a", BODY)
    keys = [hawker.fetch_until_stored(origin.url("/shared/a"), headers=headers).cache_status["key"] for headers in (
        {}, {"X-Dragonfly-Tag": "nightly"}, {"X-Hawker-Tag": "nightly"}, {"X-Dragonfly-Application": "nightly"})]
    assert keys[1] == keys[2] and len(set(keys)) == 3
    assert len(model.gets) == 3


def test_the_task_and_whether_it_was_here_whole_are_told(hawker, origin):
    origin.add("/shared/a", BODY)
    tag = {"X-Dragonfly-Tag": "t"}
    first = hawker.fetch_until_stored(origin.url("/shared/a"), headers=tag)
    again = hawker.fetch(origin.url("/shared/a"), headers=tag)
    assert first.header("X-Dragonfly-Task-ID") == again.header("X-Dragonfly-Task-ID") == again.cache_status["key"]
    assert first.header("X-Dragonfly-Task-Download-Finished") is None
    assert again.header("X-Dragonfly-Task-Download-Finished") == "true"
    assert hawker.fetch(origin.url("/shared/a")).header("X-Dragonfly-Task-ID") is None, "who did not ask hears nothing of it"


def test_a_list_of_parameters_stands_for_the_rules_and_names_tasks_of_its_own(hawker, origin):
    model = origin.add("/shared/a", BODY)
    mine = {"X-Dragonfly-Filtered-Query-Params": "mine, other"}
    hawker.fetch_until_stored(origin.url("/shared/a", "mine=1&x=2"), headers=mine)
    assert hawker.fetch(origin.url("/shared/a", "x=2&mine=2"), headers=mine).cache_status["hit"]
    assert len(model.gets) == 1
    # Otherwise a client could choose what others get under their URL.
    assert not hawker.fetch(origin.url("/shared/a", "x=2")).cache_status.get("hit")


def test_use_p2p_caches_what_no_rule_speaks_of_and_still_asks_who_may_read(hawker, origin):
    model = origin.add("/pass/a", BODY, authorization="Bearer right")
    asks = {"X-Dragonfly-Use-P2P": "true", "Authorization": "Bearer right"}
    hawker.fetch_until_stored(origin.url("/pass/a"), headers=asks)
    before = model.bytes_sent
    assert hawker.fetch(origin.url("/pass/a"), headers=asks).cache_status["hit"]
    assert model.bytes_sent == before
    refused = hawker.fetch(origin.url("/pass/a"), headers={"X-Dragonfly-Use-P2P": "true", "Authorization": "Bearer wrong"})
    assert refused.status in (401, 403) and refused.body != BODY.bytes()
    assert refused.header("X-Dragonfly-Error-Type") == "backend"


@pytest.mark.parametrize("by", ["field", "rule"])
def test_a_range_brings_the_whole_where_prefetch_says_so(start_hawker, origin, by):
    content = Content(20 * MIB)
    origin.add("/ranged/a", content)
    hawker = start_hawker(rules=[rule("ranged", HOST + "/ranged/", access="shared", **({"prefetch": True} if by == "rule" else {}))])
    headers = {"Range": "bytes=0-99", **({"X-Dragonfly-Prefetch": "true"} if by == "field" else {})}
    part = hawker.fetch(origin.url("/ranged/a"), headers=headers)
    assert (part.status, part.body) == (206, content.bytes(0, 100))
    hawker.wait_until_stored(part)
    assert hawker.task(part.cache_status["key"])["stored"] == content.size


def test_a_range_brings_no_more_where_the_client_says_no(start_hawker, origin):
    content = Content(64 * MIB)
    model = origin.add("/ranged/a", content)
    hawker = start_hawker({"fetch.piece_size": "1MiB", "fetch.connections": 1},
                          [rule("ranged", HOST + "/ranged/", access="shared", prefetch=True)])
    part = hawker.fetch(origin.url("/ranged/a"), headers={"Range": "bytes=0-99", "X-Dragonfly-Prefetch": "false"})
    assert part.status == 206
    hawker.log_line(r"task (done|stopped) ")
    assert model.bytes_sent <= 8 * MIB


def test_low_priorities_read_only_what_is_here(hawker, origin):
    model = origin.add("/shared/a", BODY)
    for priority, status in (("1", 403), ("2", 404)):
        refused = hawker.fetch(origin.url("/shared/a"), headers={"X-Dragonfly-Priority": priority})
        assert (refused.status, refused.header("X-Dragonfly-Error-Type")) == (status, "proxy")
    assert not model.requests
    hawker.fetch_until_stored(origin.url("/shared/a"))
    assert hawker.fetch(origin.url("/shared/a"), headers={"X-Dragonfly-Priority": "1"}).body == BODY.bytes()


def test_pieces_have_the_length_that_is_asked_for_or_the_request_is_refused(hawker, origin):
    origin.add("/shared/a", BODY)
    length = {"X-Dragonfly-Piece-Length": "8MiB"}
    one = hawker.fetch_until_stored(origin.url("/shared/a"), headers=length)
    assert one.cache_status["key"] != hawker.fetch_until_stored(origin.url("/shared/a")).cache_status["key"]
    refused = hawker.fetch(origin.url("/shared/a"), headers={"X-Dragonfly-Piece-Length": "1KiB"})
    assert refused.status == 400 and b"at least 4MiB" in refused.body


@pytest.mark.parametrize("spelled, the_same_as", [("8mib", "8MiB"), ("1gib", "64MiB")])
def test_piece_lengths_are_read_as_dragonfly_spells_them(hawker, origin, spelled, the_same_as):
    origin.add("/shared/a", BODY)
    keys = [hawker.fetch_until_stored(origin.url("/shared/a"), headers={"X-Dragonfly-Piece-Length": length}).cache_status["key"]
            for length in (spelled, the_same_as)]
    assert keys[0] == keys[1]


def test_errors_say_who_is_to_blame(hawker, origin):
    tag = {"X-Dragonfly-Tag": "t"}
    origin.add("/pass/gone", BODY).fault(answers.status(404), times=9)
    assert hawker.fetch(origin.url("/pass/gone"), headers=tag).header("X-Dragonfly-Error-Type") == "backend"
    assert hawker.fetch("http://127.0.0.1:9/pass/x", headers=tag).header("X-Dragonfly-Error-Type") == "backend"
    assert hawker.fetch("http://192.168.254.254/x", headers=tag).header("X-Dragonfly-Error-Type") == "proxy"
    assert hawker.fetch("http://127.0.0.1:9/pass/x").header("X-Dragonfly-Error-Type") is None


def test_a_range_beyond_the_end_says_who_is_to_blame(hawker, origin):
    tag = {"X-Dragonfly-Tag": "t"}
    origin.add("/shared/a", BODY)
    hawker.fetch_until_stored(origin.url("/shared/a"), headers=tag)
    beyond = {"Range": "bytes=9999999-"}
    answer = hawker.fetch(origin.url("/shared/a"), headers={**tag, **beyond})
    assert (answer.status, answer.header("X-Dragonfly-Error-Type")) == (416, "proxy")
    assert hawker.fetch(origin.url("/shared/a"), headers=beyond).header("X-Dragonfly-Error-Type") is None


def test_no_client_writes_a_file_on_this_host(hawker, origin, tmp_path):
    origin.add("/shared/a", BODY)
    target = pathlib.Path(tmp_path) / "written"
    headers = {"X-Dragonfly-Output-Path": str(target), "X-Dragonfly-Force-Hard-Link": "true"}
    assert hawker.fetch_until_stored(origin.url("/shared/a"), headers=headers).body == BODY.bytes()
    assert not target.exists()

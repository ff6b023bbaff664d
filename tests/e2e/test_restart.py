"""Crashes, restarts, signals: what was committed is served, nothing else is, and nobody is cut without need."""

import pathlib
import socket
import threading

import pytest

from harness.content import KIB, MIB, Content
from harness.crowd import Crowd
from harness.origin_answer import stalled
from harness.rules import HOST, rule
from harness.waiting import eventually

SIZE = 40 * MIB
PIECE = 4 * MIB


@pytest.fixture
def blob(origin):
    return origin.add("/shared/model", Content(SIZE))


@pytest.fixture
def url(origin):
    return origin.url("/shared/model")


def start_and_stall(hawker, blob, url, after):
    """A client that waits in mid-fetch: the crowd it runs in, and the event that lets the origin go on."""
    go_on = threading.Event()
    blob.fault(stalled(after, go_on), times=1)
    crowd = Crowd()
    crowd.start(hawker.fetch, url)
    eventually(lambda: blob.bytes_sent >= after, "the stall")
    return crowd, go_on


def data_files(hawker):
    """Files of bodies, largest first."""
    folder = pathlib.Path(hawker.options["cache.directory"]) / "pieces"
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(files, key=lambda path: path.stat().st_size, reverse=True)


def spoil(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        original = file.read(64)
        file.seek(offset)
        file.write(bytes(byte ^ 0xFF for byte in original))


def can_connect(address):
    try:
        socket.create_connection(address, 2).close()
        return True
    except OSError:
        return False


def test_after_a_kill_everything_committed_is_served_and_the_rest_fetched(start_hawker, origin, blob, url):
    hawker = start_hawker({"fetch.connections": 1})
    crowd, go_on = start_and_stall(hawker, blob, url, after=21 * MIB)
    eventually(lambda: sum(task["stored"] for task in hawker.tasks()) >= 20 * MIB, "five pieces have arrived")
    # There is one writer, in order: once a later object is in the index, so are the pieces from before.
    origin.add("/shared/later", Content(5 * MIB))
    hawker.fetch_until_stored(origin.url("/shared/later"))
    hawker.kill()
    go_on.set()
    assert not crowd.join()[0].complete
    hawker.restart()
    stored = next(task["stored"] for task in hawker.tasks() if task["url"].endswith("/model"))
    assert stored >= 12 * MIB
    before = blob.bytes_sent
    part = hawker.fetch(url, headers={"Range": f"bytes=0-{stored - 1}"})
    assert part.sha256 == blob.content.sha256(0, stored)
    assert blob.bytes_sent - before <= 1, "what was committed came from the disk"
    assert hawker.fetch(url).sha256 == blob.content.sha256()
    assert blob.bytes_sent - before <= SIZE - stored + 1


@pytest.mark.parametrize("after", [1 * KIB, 5 * MIB, 39 * MIB])
def test_a_kill_at_any_point_leaves_nothing_wrong(hawker, blob, url, after):
    crowd, go_on = start_and_stall(hawker, blob, url, after)
    hawker.kill()
    go_on.set()
    crowd.join()
    hawker.restart()
    for _ in range(2):
        assert hawker.fetch(url).sha256 == blob.content.sha256()


def test_a_complete_object_survives_a_kill(hawker, blob, url):
    hawker.fetch_until_stored(url)
    hawker.kill()
    hawker.restart()
    before = blob.bytes_sent
    answer = hawker.fetch(url)
    assert answer.cache_status.get("hit")
    assert answer.sha256 == blob.content.sha256()
    assert blob.bytes_sent == before


def test_a_small_object_survives_a_kill(hawker, origin):
    small = origin.add("/shared/small", Content(10 * KIB))
    hawker.fetch_until_stored(origin.url("/shared/small"))
    hawker.kill()
    hawker.restart()
    before = len(small.requests)
    assert hawker.fetch(origin.url("/shared/small")).sha256 == small.content.sha256()
    assert len(small.requests) == before


def test_a_piece_that_was_spoilt_by_a_crash_is_fetched_again_and_never_served(hawker, blob, url):
    hawker.fetch_until_stored(url)
    hawker.kill()
    spoil(data_files(hawker)[0], 9 * MIB + 123)
    hawker.restart()
    before = blob.bytes_sent
    for _ in range(2):
        answer = hawker.fetch(url)
        # Bytes that came before the bad piece may be out already: then the transfer is cut, never wrong.
        assert answer.body == blob.content.bytes(0, answer.length)
    assert hawker.fetch(url).sha256 == blob.content.sha256()
    assert 1 * MIB <= blob.bytes_sent - before <= 2 * PIECE + 1
    assert hawker.metrics()["hawker_cache_corrupt_pieces_total"] == 1


def test_a_data_file_that_lost_its_end_is_fetched_again(hawker, blob, url):
    hawker.fetch_until_stored(url)
    hawker.kill()
    with open(data_files(hawker)[0], "r+b") as file:
        file.truncate(22 * MIB)
    hawker.restart()
    answer = hawker.fetch(url)
    assert answer.body == blob.content.bytes(0, answer.length)
    assert hawker.fetch(url).sha256 == blob.content.sha256()


def test_a_data_file_that_is_gone_is_fetched_again(hawker, blob, url):
    hawker.fetch_until_stored(url)
    hawker.kill()
    data_files(hawker)[0].unlink()
    hawker.restart()
    answer = hawker.fetch(url)
    assert answer.body == blob.content.bytes(0, answer.length)
    assert hawker.fetch(url).sha256 == blob.content.sha256()


def test_after_a_clean_stop_a_hit_asks_the_origin_nothing(hawker, blob, url):
    hawker.fetch_until_stored(url)
    assert hawker.stop() == 0
    hawker.restart()
    before = len(blob.requests)
    assert hawker.fetch(url).sha256 == blob.content.sha256()
    assert len(blob.requests) == before


def test_sigterm_lets_running_transfers_finish_and_ends_with_zero(start_hawker, blob, url):
    hawker = start_hawker({"drain_timeout": "30s"})
    crowd, go_on = start_and_stall(hawker, blob, url, after=5 * MIB)
    hawker.terminate()
    eventually(lambda: not can_connect(hawker.proxy), "nobody new is taken")
    assert hawker.alive()
    go_on.set()
    assert crowd.join()[0].sha256 == blob.content.sha256()
    assert hawker.process.wait(20) == 0


def test_sigterm_cuts_what_is_left_at_the_deadline_and_ends_with_zero(start_hawker, blob, url):
    hawker = start_hawker({"drain_timeout": "500ms"})
    crowd, go_on = start_and_stall(hawker, blob, url, after=5 * MIB)
    hawker.terminate()
    assert hawker.process.wait(20) == 0
    assert not crowd.join()[0].complete
    go_on.set()


def test_sigterm_closes_idle_connections_at_once(start_hawker, origin):
    hawker = start_hawker({"drain_timeout": "60s"})
    origin.add("/plain")
    with hawker.connect() as idle:
        idle.request("GET", origin.url("/plain"))
        assert idle.response().status == 200
        hawker.terminate()
        assert idle.is_closed()
    assert hawker.process.wait(20) == 0


def test_what_a_drained_daemon_had_fetched_is_kept(start_hawker, blob, url):
    hawker = start_hawker({"drain_timeout": "300ms", "fetch.connections": 1})
    crowd, go_on = start_and_stall(hawker, blob, url, after=21 * MIB)
    eventually(lambda: sum(task["stored"] for task in hawker.tasks()) >= 20 * MIB, "five pieces have arrived")
    hawker.terminate()
    assert hawker.process.wait(20) == 0
    crowd.join()
    go_on.set()
    hawker.restart()
    before = blob.bytes_sent
    assert hawker.fetch(url).sha256 == blob.content.sha256()
    assert blob.bytes_sent - before <= SIZE - 20 * MIB + 1


def test_sighup_swaps_the_rules_without_touching_a_running_transfer(hawker, origin, blob, url):
    crowd, go_on = start_and_stall(hawker, blob, url, after=5 * MIB)
    hawker.rules = [rule("new", HOST + "/new/", access="shared")]
    hawker.write_config()
    hawker.reload()
    hawker.log_line("reloaded")
    fresh = origin.add("/new/model", Content(1 * MIB))
    for _ in range(2):
        assert hawker.fetch(origin.url("/new/model")).sha256 == fresh.content.sha256()
    assert hawker.exchange("/new/model")["rule"] == "new"
    # The old rule is gone for new requests, and the transfer that began under it goes on.
    origin.add("/shared/other")
    hawker.fetch(origin.url("/shared/other"))
    assert hawker.exchange("/shared/other")["source"] == "pass"
    go_on.set()
    assert crowd.join()[0].sha256 == blob.content.sha256()


@pytest.mark.parametrize("text", ["rules: [", "no_such_option: 1\n", "rules:\n  - name: x\n    match: '('\n", ""],
                         ids=["not yaml", "unknown key", "bad pattern", "no file"])
def test_a_bad_file_keeps_the_old_rules_and_says_so(hawker, origin, text):
    blob = origin.add("/shared/model", Content(1 * MIB))
    if text:
        hawker.config.write_text(text)
    else:
        hawker.config.unlink()
    hawker.reload()
    line = hawker.log_line("stays? in force")
    assert '"level":"error"' in line
    assert hawker.fetch(origin.url("/shared/model")).sha256 == blob.content.sha256()
    assert hawker.exchange("/shared/model")["rule"] == "shared"


def test_reloading_many_times_under_load_loses_nobody(hawker, origin):
    blob = origin.add("/shared/model", Content(3 * MIB))
    stop = threading.Event()

    def keep_asking():
        while not stop.is_set():
            assert hawker.fetch(origin.url("/shared/model")).sha256 == blob.content.sha256()

    crowd = Crowd()
    for _ in range(3):
        crowd.start(keep_asking)
    for number in range(10):
        hawker.reload()
        eventually(lambda: hawker.log().count("reloaded") > number, "the reload")
    stop.set()
    crowd.join()


def test_two_daemons_never_share_a_cache_directory(hawker, start_hawker):
    with pytest.raises(AssertionError, match="ended with"):
        start_hawker({"cache.directory": hawker.options["cache.directory"]})
    assert hawker.get_admin("/healthz")

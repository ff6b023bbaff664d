"""Out of connections, descriptors or memory: who is idle goes first, who is busy stays, and it recovers by itself."""

import contextlib
import tempfile

import pytest

from harness.content import KIB, MIB, Content
from harness.origin_answer import paced
from harness.waiting import eventually, stretched

SMALL = Content(100 * KIB)
SLOW = Content(4 * MIB)


@pytest.fixture
def url(origin):
    origin.add("/shared/blob", SMALL)
    return origin.url("/shared/blob")


@pytest.fixture
def slow_url(origin):
    origin.add("/plain/slow", SLOW).fault(paced(1 * MIB))
    return origin.url("/plain/slow")


@pytest.fixture
def visitors(start_hawker):
    """visitors(hawker, 4): so many connections, closed at the end of the test."""
    with contextlib.ExitStack() as all_of_them:
        yield lambda hawker, number: [all_of_them.enter_context(hawker.connect()) for _ in range(number)]


def ask(connection, url):
    connection.request("GET", url)
    return connection.response().status


def is_closed(connection):
    """Without waiting."""
    connection.socket.setblocking(False)
    try:
        return connection.socket.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    finally:
        connection.socket.setblocking(True)


def test_one_more_client_costs_the_connection_that_was_idle_longest(start_hawker, visitors, url):
    hawker = start_hawker({"threads": 1, "limits.connections": 4})
    waiting = visitors(hawker, 4)
    for visitor in waiting:
        assert ask(visitor, url) == 200
    # One that has only just begun to wait is spared for a moment.
    eventually(lambda: hawker.fetch(url).status == 200, "room for one more")
    assert is_closed(waiting[0])
    assert ask(waiting[3], url) == 200
    assert hawker.metrics()["hawker_connections_shed_total"] >= 1


def test_idle_connections_of_other_loops_make_room_too(start_hawker, visitors, url):
    hawker = start_hawker({"threads": 3, "limits.connections": 6})
    for visitor in visitors(hawker, 6):
        assert ask(visitor, url) == 200
    for _ in range(6):
        eventually(lambda: hawker.fetch(url).status == 200, "room for one more")


def test_who_asks_for_nothing_for_long_is_closed_and_who_asks_is_not(start_hawker, visitors, url):
    hawker = start_hawker({"timeouts.idle": stretched(4000)})
    silent, talking = visitors(hawker, 2)
    assert ask(silent, url) == 200
    asked = 0
    while not is_closed(silent):
        assert ask(talking, url) == 200
        asked += 1
    assert asked > 1
    assert ask(talking, url) == 200
    eventually(lambda: is_closed(talking), "its own four seconds of silence")


def test_where_all_are_busy_one_more_hears_why_and_later_is_served(start_hawker, visitors, url, slow_url):
    hawker = start_hawker({"limits.connections": 2})
    busy = visitors(hawker, 2)
    for visitor in busy:
        visitor.request("GET", slow_url)
        assert visitor.socket.recv(1)
    refused = hawker.fetch(url)
    assert refused.status == 503
    assert refused.header("Retry-After") == "1"
    assert "limits.connections" in refused.text
    assert hawker.metrics()['hawker_connections_refused_total{limit="connections"}'] >= 1
    busy[0].close()
    eventually(lambda: hawker.fetch(url).status == 200, "room for one more")


def test_files_that_nobody_reads_keep_no_descriptor_from_anybody(request, start_hawker, visitors, origin):
    # What is fetched keeps its file until it is recorded, which nothing but the shortage hurries here.
    # In memory, because a disk that takes a second for them makes it a shortage after all.
    folder = tempfile.TemporaryDirectory(dir="/dev/shm")
    request.addfinalizer(folder.cleanup)
    hawker = start_hawker({"threads": 2, "cache.commit_interval": "5s", "cache.directory": folder.name},
                          wrapper=("prlimit", "--nofile=160:160"))
    contents = {f"/shared/{number}": Content(40 * KIB + number) for number in range(200)}
    for path, content in contents.items():
        origin.add(path, content)
    for _ in ("cold", "warm"):
        for path, content in contents.items():
            answer = hawker.fetch(origin.url(path))
            assert (answer.status, answer.sha256) == (200, content.sha256())
    assert origin.bytes_sent == sum(content.size for content in contents.values())
    # More than fit beside the files, and fewer than fit without them: 120 descriptors are for both, some 35 for hawkerd itself.
    for visitor in visitors(hawker, 60):
        assert ask(visitor, origin.url("/shared/7")) == 200
    assert hawker.metrics()["hawker_connections_shed_total"] == 0
    assert "Too many open files" not in hawker.log()
    assert "descriptors run out" not in hawker.log()


def test_a_crowd_beyond_the_descriptors_disturbs_nobody(start_hawker, visitors, origin, url, slow_url):
    hawker = start_hawker({"threads": 2}, wrapper=("prlimit", "--nofile=160:160"))
    assert hawker.fetch(url).status == 200
    [busy] = visitors(hawker, 1)
    busy.request("GET", slow_url)
    crowd = visitors(hawker, 400)
    eventually(lambda: hawker.metrics()['hawker_accept_pauses_total{limit="descriptors"}'] > 0, "a pause")
    # A miss needs an origin and a file: both come out of what is held back.
    origin.add("/shared/new", SMALL)
    eventually(lambda: hawker.fetch(origin.url("/shared/new")).sha256 == SMALL.sha256(), "an answer amid the crowd")
    answer = busy.response()
    assert (answer.status, answer.sha256) == (200, SLOW.sha256())
    assert hawker.metrics()["hawker_connections_shed_total"] > 0
    assert "Too many open files" not in hawker.log()
    assert "descriptors run out" in hawker.log()
    for visitor in crowd:
        visitor.close()
    eventually(lambda: hawker.metrics()["hawker_connections"] < 10, "the crowd's end")
    eventually(lambda: hawker.fetch(url).sha256 == SMALL.sha256(), "room again")  # some of the crowd may not even be accepted yet


def test_above_its_memory_it_turns_clients_away_and_below_it_serves_again(start_hawker, url):
    hawker = start_hawker({"limits.memory": "1MiB"})
    refused = hawker.fetch(url)
    assert refused.status == 503
    assert "limits.memory" in refused.text
    metrics = hawker.metrics()
    assert metrics["hawker_memory_bytes"] > 1 * MIB
    assert metrics['hawker_connections_refused_total{limit="memory"}'] >= 1
    hawker.options["limits.memory"] = "4GiB"
    hawker.write_config()
    hawker.reload()
    eventually(lambda: hawker.fetch(url).status == 200, "room again")
    hawker.log_line("these options count from the next start on: cache.memory")  # it follows limits.memory

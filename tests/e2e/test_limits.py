"""Fairness: how fast and how much at once, for everybody, for a listener, a rule, a user, a client."""

import threading
import time

import pytest

from harness.clients import run
from harness.content import KIB, MIB, Content, Text
from harness.crowd import Crowd
from harness.interception import OurAuthority, inside, options_for
from harness.origin_answer import stalled
from harness.passwords import Passwords
from harness.rules import default_rules
from harness.waiting import eventually, patience


def seconds(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


@pytest.fixture
def cached(origin):
    """cached(hawker, size): an object that is in the cache; the call that reads it whole."""

    def make(hawker, size, path="/shared/model", proxy=None, user=None):
        blob = origin.resources.get(path) or origin.add(path, Content(size))
        url = origin.url(path)
        address = f"http://{proxy or '%s:%s' % hawker.proxy}"
        words = ["curl", "-q", "-sS", "--noproxy", "", "-o", "/dev/null", "-w", "%{size_download}", "--proxy", address, url]
        words += ["--proxy-user", user] if user else []
        if not any(path in task["url"] for task in hawker.tasks()):
            run(*words)
            eventually(lambda: any(path in task["url"] and task["complete"] for task in hawker.tasks()), "the object in the cache")
        return lambda: int(run(*words).stdout) == blob.content.size or pytest.fail("a short body")

    return make


# Bytes a second. Each compares two rates of one run; the slow one is a second's worth and more beyond the burst. --------------


@pytest.mark.parametrize("options", [
    {"limits.bandwidth": "4MiB"},
    {"listen": [], "listeners": [{"address": "127.0.0.1:0", "bandwidth": "4MiB"}]},
])
def test_a_limit_holds_for_all_transfers_together(start_hawker, cached, options):
    hawker = start_hawker(options)
    read = cached(hawker, 2 * MIB)

    def both():
        crowd = Crowd()
        for _ in range(3):
            crowd.start(read)
        crowd.join()

    taken = seconds(both)
    assert taken > (6 - 1) / 4 * 0.8  # six MiB at four a second, less what may go at once
    assert taken < patience(8)


def test_a_rules_limit_is_that_rules_alone(start_hawker, cached):
    rules = [{**rule, "bandwidth": "2MiB"} if rule["name"] == "shared" else rule for rule in default_rules()]
    hawker = start_hawker(rules=rules)
    slow, quick = cached(hawker, 3 * MIB), cached(hawker, 3 * MIB, "/http/model")
    assert seconds(slow) > 3 * min(seconds(quick) for _ in range(5))


def test_a_users_limit_is_that_users_alone(start_hawker, cached, tmp_path):
    passwords = Passwords(tmp_path, "slow", "quick")
    hawker = start_hawker({"auth.htpasswd": str(passwords.file), "users": {"slow": {"bandwidth": "2MiB"}}})
    slow, quick = (cached(hawker, 3 * MIB, user=f"{user}:{passwords.of[user]}") for user in ("slow", "quick"))
    assert seconds(slow) > 3 * min(seconds(quick) for _ in range(5))


def test_a_miss_is_paced_towards_the_client_and_not_from_the_origin(start_hawker, origin):
    hawker = start_hawker({"limits.bandwidth": "1MiB"})
    blob = origin.add("/shared/model", Content(8 * MIB))
    with hawker.connect() as client:
        client.request("GET", origin.url("/shared/model"))
        head = client.response_head()
        eventually(lambda: blob.bytes_sent >= blob.content.size, "the whole object fetched")
        assert head.status == 200


def test_tunnels_are_paced_too(start_hawker, tls_origin, authority):
    tls_origin.add("/blob", Content(3 * MIB))
    ports = {"destinations.connect_ports": [str(tls_origin.port)]}
    slow, quick = start_hawker({"limits.bandwidth": "2MiB", **ports}), start_hawker(ports)

    def read(hawker):
        return run("curl", "-q", "-sS", "--noproxy", "", "--proxy", hawker.proxy_url, "--cacert", authority.ca_file,
                   tls_origin.url("/blob")).stdout

    def taken(hawker):
        begin = time.monotonic()
        assert read(hawker) == Content(3 * MIB).bytes()
        return time.monotonic() - begin

    assert taken(slow) > 3 * min(taken(quick) for _ in range(5))


def test_opened_tunnels_are_paced_as_every_request(start_hawker, tls_origin, tmp_path):
    ours = OurAuthority(tmp_path / "ca")
    blob = tls_origin.add("/shared/blob", Content(2 * MIB))
    hawker = start_hawker(options_for(tls_origin, ours, **{"limits.bandwidth": "1MiB"}))
    with inside(hawker, ours.context(), tls_origin.host) as tunnel:
        begin = time.monotonic()
        tunnel.request("GET", "/shared/blob", {"Host": tls_origin.host})
        assert tunnel.response().sha256 == blob.content.sha256()
        assert time.monotonic() - begin > 1


def test_a_reload_changes_the_pace_of_a_running_transfer(start_hawker, cached, origin):
    hawker = start_hawker({"limits.bandwidth": "64KiB"})
    origin.add("/shared/model", Content(4 * MIB))
    with hawker.connect() as client:
        client.request("GET", origin.url("/shared/model"))
        assert client.response_head().status == 200
        hawker.options["limits.bandwidth"] = "1GiB"
        hawker.write_config()
        hawker.reload()
        hawker.log_line("reloaded")
        # Another request of that limit brings the rate into force.
        hawker.fetch(origin.url("/shared/model"), headers={"Range": "bytes=0-0"})
        received = 0
        begin = time.monotonic()
        while received < 4 * MIB:
            received += len(client.read_some(min(64 * KIB, 4 * MIB - received)))
        assert time.monotonic() - begin < 30  # a minute and more at the old pace


def test_a_client_that_leaves_a_paced_transfer_leaves_nothing_behind(start_hawker, cached, origin):
    hawker = start_hawker({"limits.bandwidth": "64KiB"})
    origin.add("/shared/model", Content(4 * MIB))
    with hawker.connect() as client:
        client.request("GET", origin.url("/shared/model"))
        assert client.response_head().status == 200
        client.abort()
    eventually(lambda: hawker.metrics()["hawker_connections"] <= 1, "the connection gone")


# At once -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def held(origin):
    """An object whose transfers stand still until `go_on.set()`."""
    go_on = threading.Event()
    blob = origin.add("/other/held", Text(b"x" * 1000))
    blob.fault(stalled(0, go_on), times=1000)
    blob.go_on = go_on
    yield blob
    go_on.set()


def test_so_many_run_the_next_wait_and_one_more_is_turned_away(start_hawker, origin, held):
    hawker = start_hawker({"limits.client_transfers": 2, "limits.client_queue": 3})
    crowd = Crowd()
    for _ in range(5):
        crowd.start(hawker.fetch, origin.url("/other/held"))
    eventually(lambda: hawker.metrics()["hawker_client_queue_waiting"] == 3, "three in line")
    refused = hawker.fetch(origin.url("/other/held"))
    assert refused.status == 429
    assert refused.header("Retry-After") == "5"
    assert "limits.client_queue" in refused.text
    assert len(held.requests) <= 2
    held.go_on.set()
    assert [answer.status for answer in crowd.join()] == [200] * 5
    metrics = hawker.metrics()
    assert metrics["hawker_client_queue_waiting"] == 0
    assert metrics["hawker_clients_turned_away_total"] == 1


def test_a_greedy_user_is_in_nobodys_way(start_hawker, origin, held, tmp_path):
    passwords = Passwords(tmp_path, "greedy", "polite")
    hawker = start_hawker({"auth.htpasswd": str(passwords.file), "limits.client_transfers": 64,
                           "users": {"greedy": {"connections": 4}}})
    origin.add("/shared/small", Text(b"soon"))
    crowd = Crowd()

    def ask(user, path):
        return run("curl", "-q", "-sS", "--noproxy", "", "--proxy", passwords.url(hawker, user), origin.url(path)).stdout

    for _ in range(20):
        crowd.start(ask, "greedy", "/other/held")
    eventually(lambda: hawker.metrics()["hawker_client_queue_waiting"] == 16, "the greedy one's line")
    assert ask("polite", "/shared/small") == b"soon"
    held.go_on.set()
    crowd.join()


def test_idle_connections_take_no_place(start_hawker, origin):
    # A line of one: the last transfer's place is free a moment after its client has read the end.
    hawker = start_hawker({"limits.client_transfers": 1, "limits.client_queue": 1})
    origin.add("/shared/x", Text(b"x"))
    idle = [hawker.connect() for _ in range(20)]
    for client in idle:
        client.request("GET", origin.url("/shared/x"))
        assert client.response().status == 200
    for client in idle:
        client.close()


def test_a_drain_does_not_wait_for_a_line(start_hawker, origin, held):
    hawker = start_hawker({"limits.client_transfers": 1, "drain_timeout": "200ms"})
    clients = [hawker.connect() for _ in range(3)]
    for client in clients:
        client.request("GET", origin.url("/other/held"))
    eventually(lambda: hawker.metrics()["hawker_client_queue_waiting"] == 2, "two in line")
    assert hawker.stop() == 0
    for client in clients:
        client.close()

"""`kind: huggingface` with the settings that it comes with, when a Hub accepts connections and says nothing: its clients give up
after ten seconds without a byte."""

import json
import threading
import time

import pytest

from harness.hub_mirror import CONFIG, hub, repo, start_mirror, stored  # noqa: F401: some are fixtures
from harness.mirror_client import MirrorClient
from harness.origin import Origin
from harness.small_hub import SmallHub
from harness.waiting import patience, stretched

FILES = {"config.json": CONFIG}
CLIENTS_WAIT = 10.0
AT_ONCE = 3.5  # less than a mirror waits for a hub that it asks


@pytest.fixture
def silence():
    """What a hub that is `silent` waits for."""
    event = threading.Event()
    yield event
    event.set()


def within(seconds, ask):
    began = time.monotonic()
    answer = ask()
    assert time.monotonic() - began < patience(seconds)
    return answer


def test_a_hub_that_says_nothing_is_passed_over_before_a_client_gives_up(start_hawker, silence):
    origins = [Origin() for _ in range(4)]
    first, second = SmallHub(*origins[:2]), SmallHub(*origins[2:])
    repo, _ = (hub.repo("org/model", FILES) for hub in (first, second))
    first.silent = silence
    hawker = start_hawker({"mirrors": [{"listen": "127.0.0.1:0", "kind": "huggingface",
                                        "upstreams": [first.origin.url(""), second.origin.url("")]}]})
    mirror = MirrorClient(hawker.mirrors[0])
    assert within(CLIENTS_WAIT, lambda: mirror.get(repo.resolve("config.json"))).body == CONFIG
    assert within(AT_ONCE, lambda: mirror.get(repo.resolve("config.json", repo.commit))).body == CONFIG
    assert within(AT_ONCE, lambda: mirror.get(f"{repo.at}/tree/{repo.commit}")).status == 200
    silence.set()
    for each in origins:
        each.close()


def test_while_the_hub_says_nothing_a_branch_is_what_it_was_last(start_mirror, hub, repo, silence):
    mirror, hawker = start_mirror(ref_ttl="1ms")
    stored(hawker, mirror.get(repo.resolve("config.json")))
    hub.silent = silence
    answer = within(CLIENTS_WAIT, lambda: mirror.get(repo.resolve("config.json")))
    assert answer.body == CONFIG and answer.header("Warning").startswith("110 ")
    for _ in range(5):
        assert within(AT_ONCE, lambda: mirror.get(repo.resolve("config.json"))).body == CONFIG


def test_while_the_hub_says_nothing_what_was_open_is_open_to_those_who_must_ask_again(start_mirror, hub, repo, silence):
    mirror, hawker = start_mirror(ref_ttl="1ms", hawker_options={"access_ttl": "1ms"})
    stored(hawker, mirror.get(repo.resolve("config.json")))
    tree = mirror.get(f"{repo.at}/tree/{repo.commit}")
    hub.silent = silence
    answer = within(CLIENTS_WAIT, lambda: mirror.get(repo.resolve("config.json", repo.commit)))
    assert answer.body == CONFIG and answer.cache_status["detail"] == "not-verified"
    assert within(AT_ONCE, lambda: mirror.get(repo.resolve("config.json"))).body == CONFIG
    again = within(AT_ONCE, lambda: mirror.get(f"{repo.at}/tree/{repo.commit}"))
    assert json.loads(again.body) == json.loads(tree.body)


def test_what_was_never_open_is_not_opened_by_silence(start_mirror, hub, silence):
    private = hub.repo("org/private", FILES, token="hf_reader")
    mirror, hawker = start_mirror(hawker_options={"access_ttl": "1ms", "origin.first_byte_timeout": stretched(3000)})
    stored(hawker, mirror.get(private.resolve("config.json", private.commit), Authorization="Bearer hf_reader"))
    hub.silent = silence
    for _ in range(2):
        assert mirror.get(private.resolve("config.json", private.commit)).status == 403

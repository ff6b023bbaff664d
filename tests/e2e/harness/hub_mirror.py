"""A mirror of the stand-in Hub: the fixtures of its tests."""

import concurrent.futures

import pytest

from harness.content import MIB, Content
from harness.mirror_client import MirrorClient, restarted, stored  # noqa: F401: tests take them from here
from harness.rules import HOST, default_rules, rule
from harness.small_hub import SmallHub
from harness.waiting import eventually

WEIGHTS = Content(3 * MIB)
CONFIG = b'{"architectures": ["Small"]}'
FILES = {"config.json": CONFIG, "model.bin": WEIGHTS}
# What a forward proxy knows of the CDN.
CDN = rule("cdn", HOST + r"/repos/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}/(?P<sha256>[0-9a-f]{64})", digest="sha256")
BRIDGE = rule("bridge", HOST + r"/xet-bridge-[a-z]+/[0-9a-f]{24}/[0-9a-f]{64}(\?|$)", learn_digest=True)


@pytest.fixture
def hub(origin, other_origin):
    return SmallHub(origin, other_origin)


@pytest.fixture
def start_mirror(start_hawker, hub):
    def start(*more_upstreams, hawker_options=None, **keys):
        upstreams = [hub.origin.url(""), *more_upstreams]
        mirror = {"listen": "127.0.0.1:0", "kind": "huggingface", "upstreams": upstreams, **keys}
        hawker = start_hawker({"mirrors": [mirror], **(hawker_options or {})}, rules=[CDN, BRIDGE, *default_rules()])
        return MirrorClient(hawker.mirrors[0]), hawker

    return start


@pytest.fixture
def repo(hub):
    return hub.repo("org/model", FILES)


def at_the_same_time(hawker, ask, until):
    """What ten workers get who ask while the first one's question is not answered yet."""
    with concurrent.futures.ThreadPoolExecutor(10) as workers:
        asked = [workers.submit(ask) for _ in range(10)]
        eventually(lambda: hawker.metrics()["hawker_access_waiting"] == 9, "nine wait for the tenth")
        until.set()
        return [each.result() for each in asked]

"""`kind: huggingface` with two upstreams, by the real huggingface_hub: the first fails in every way it can, the second stands in,
and the first comes back by itself."""

import threading

import pytest

from harness import origin_answer as answers, pypi
from harness.content import MIB, Content
from harness.hub_machine import HubMachine
from harness.mirror_client import MirrorClient
from harness.origin import Origin
from harness.small_hub import SmallHub
from harness.waiting import eventually, stretched

LARGE = Content(24 * MIB, seed=3)
CONFIG = b'{"architectures": ["Small"]}'
FILES = {"config.json": CONFIG, "model.bin": LARGE}
OPTIONS = {"origin.stall_timeout": stretched(2000), "origin.first_byte_timeout": stretched(2000), "fetch.connections": 2}


class TwoHubs:
    """The same repository at two hubs, each with a CDN of its own."""

    def __init__(self, origins):
        self.first, self.second = SmallHub(*origins[:2]), SmallHub(*origins[2:])
        self.repo, self.other = (hub.repo("org/model", FILES) for hub in (self.first, self.second))
        self.go_on = threading.Event()

    def large(self):
        return self.first.cdn.resources[self.repo.place_of("model.bin", LARGE)]

    def revision(self):
        return self.first.resource(f"{self.repo.at}/revision/main")

    def fail(self, how):
        """And what is ill: it is well again after heal()."""
        if how == "5xx":
            self.first.down = True
        elif how == "5xx of the CDN":
            self.large().fault(answers.status(503))
        elif how == "5xx of a file":
            self.first.resource(self.repo.resolve("model.bin", self.repo.commit)).fault(answers.status(502))
        elif how == "a listing that does not come":
            self.revision().fault(answers.late_head(self.go_on))
        elif how == "a CDN that does not answer":
            self.large().fault(answers.late_head(self.go_on))
        elif how == "a CDN that stalls in the middle":
            self.large().fault(answers.stalled(3 * MIB, self.go_on))
        elif how == "a CDN that breaks off":
            self.large().fault(answers.reset(3 * MIB))

    def heal(self):
        self.first.down = False
        self.go_on.set()
        for resource in [*self.first.origin.resources.values(), *self.first.cdn.resources.values()]:
            resource.heal()


@pytest.fixture
def hubs():
    origins = [Origin() for _ in range(4)]
    two = TwoHubs(origins)
    yield two
    two.go_on.set()
    for each in origins:
        each.close()


@pytest.fixture
def mirror(start_hawker, hubs):
    upstreams = [hubs.first.origin.url(""), hubs.second.origin.url("")]
    hawker = start_hawker({"mirrors": [{"listen": "127.0.0.1:0", "kind": "huggingface", "upstreams": upstreams, "ref_ttl": "0s"}],
                           **OPTIONS})
    return MirrorClient(hawker.mirrors[0])


WAYS = ["5xx", "5xx of the CDN", "5xx of a file", "a listing that does not come", "a CDN that does not answer",
        "a CDN that stalls in the middle", "a CDN that breaks off"]


def comes_back(mirror, hubs):
    before = len(hubs.first.requests)
    eventually(lambda: mirror.get(f"{hubs.repo.at}/revision/main").status == 200 and len(hubs.first.requests) > before,
               "the first hub is asked again")


def assert_passed_over(mirror, hubs, how, download):
    hubs.fail(how)
    assert download() == LARGE.sha256()
    assert hubs.second.requests
    hubs.heal()
    comes_back(mirror, hubs)


@pytest.mark.parametrize("how", ["5xx", "a CDN that does not answer", "a CDN that stalls in the middle"])
def test_a_hub_that_fails_is_passed_over_until_it_is_well_again(mirror, hubs, how):
    assert_passed_over(mirror, hubs, how, lambda: mirror.get(hubs.repo.resolve("model.bin")).sha256)


@pytest.mark.clients
@pytest.mark.parametrize("how", WAYS)
def test_huggingface_hub_does_not_notice_that_a_hub_fails(mirror, hubs, tmp_path, how):
    machine = HubMachine(tmp_path / "machine", pypi.python("hub1"), mirror, HF_HUB_DISABLE_XET="1")

    def download():
        return machine.run("hub_scenarios.py", "large")["large"]

    assert_passed_over(mirror, hubs, how, download)

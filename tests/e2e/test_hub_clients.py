"""The clients of the Hugging Face Hub, the real ones, with nothing but HF_ENDPOINT set: cold, warm and offline, each from a machine
that has never seen the Hub. The Hub behind the mirror is the stand-in of harness/small_hub.py."""

import pytest

from harness import origin_answer as answers, pypi
from harness.breaking_relay import BreakingRelay
from harness.content import MIB, Content
from harness.full_hub import BEYOND_50_MIB, MODEL, NOT_THERE, SIZES, WEIGHTS, fill, for_members, sized, what_is_there
from harness.hub_machine import HubMachine
from harness.mirror_client import MirrorClient, restarted
from harness.secrets import plant
from harness.waiting import eventually

pytestmark = pytest.mark.clients

# (environment of clients/, what is set there): each a client that people have.
CLIENTS = {
    "2.x with hf_xet": ("xet", {}),
    "2.x without hf_xet": ("xet", {"HF_HUB_DISABLE_XET": "1"}),
    "1.x with hf_xet": ("hub1", {}),
    "1.x without hf_xet": ("hub1", {"HF_HUB_DISABLE_XET": "1"}),
    "0.36 with requests": ("hub0", {"HF_HUB_DISABLE_XET": "1"}),
    "0.36 with hf_transfer": ("hub0", {"HF_HUB_DISABLE_XET": "1", "HF_HUB_ENABLE_HF_TRANSFER": "1"}),
    "0.36 with hf_xet": ("hub0", {}),
}

@pytest.fixture
def token():
    return plant("hf_token_of_a_member")


@pytest.fixture
def hub(origin, other_origin, token):
    return fill(origin, other_origin, token)


@pytest.fixture
def start_mirror(start_hawker, hub):
    def start(hawker_options=None, **keys):
        mirror = {"listen": "127.0.0.1:0", "kind": "huggingface", "upstreams": [hub.origin.url("")], **keys}
        hawker = start_hawker({"mirrors": [mirror], **(hawker_options or {})})
        return MirrorClient(hawker.mirrors[0]), hawker

    return start


def hf(name):
    return pypi.python(name).parent / "hf"


def assert_same(told, expected):
    assert {call: told[call] for call in expected} == expected


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_sees_the_hub_cold_warm_and_offline(start_mirror, hub, token, tmp_path, client):
    name, variables = CLIENTS[client]
    program = pypi.python(name)
    mirror, hawker = start_mirror(ref_ttl="1h")
    for machine in ("cold", "warm"):
        told = HubMachine(tmp_path / machine, program, mirror, token, **variables).run("hub_scenarios.py")
        assert_same(told, {**what_is_there(), **for_members()})
        for call, errors in NOT_THERE.items():
            assert told[call] in errors, (machine, call)
        if machine == "cold":
            bytes_before, asked_before = hub.cdn.bytes_sent, len(hub.requests)
    assert hub.cdn.bytes_sent == bytes_before
    refused = [each.target for each in hub.requests[asked_before:]]
    assert len(refused) == 4, refused  # what is not there, or not for whom asks without a token
    assert all(word in " ".join(refused) for word in ("nowhere", "nobody", "private", "gated"))
    mirror = restarted(hawker, offline=True)
    before = len(hub.origin.requests)
    expected = what_is_there()
    told = HubMachine(tmp_path / "offline", program, mirror, token, **variables).run("hub_scenarios.py", *expected, "missing file")
    assert_same(told, expected)
    assert told["missing file"] in NOT_THERE["missing file"]
    assert len(hub.origin.requests) == before


def test_hf_transfer_takes_ten_mebibytes_at_a_time(start_mirror, hub, tmp_path):
    mirror, hawker = start_mirror()
    program = pypi.python("hub0")
    calls = [*(f"transfer {size}" for size in SIZES), "beyond 50 MiB"]
    told = HubMachine(tmp_path / "one", program, mirror, HF_HUB_DISABLE_XET="1", HF_HUB_ENABLE_HF_TRANSFER="1").run("hub_scenarios.py", *calls)
    assert_same(told, {**{f"transfer {size}": sized(size).sha256() for size in SIZES if size}, "beyond 50 MiB": BEYOND_50_MIB.sha256()})
    eventually(lambda: sum(line["status"] == 206 and "big.bin" in line["url"] for line in hawker.exchanges()) >= 6, "six ranges")
    assert hub.cdn.bytes_sent <= 1.01 * (sum(SIZES) + BEYOND_50_MIB.size)
    # Nothing to take of nothing: as from the Hub itself.
    direct = HubMachine(tmp_path / "two", program, MirrorClient(hub.origin.url(""))).run("hub_scenarios.py", "transfer 0")
    assert told["transfer 0"] == direct["transfer 0"]


@pytest.mark.parametrize("client", ["hub1", "xet"])
def test_a_cold_hf_download_costs_the_hub_a_request_a_file_and_three_and_a_warm_one_none(start_mirror, hub, tmp_path, client):
    mirror, _ = start_mirror(ref_ttl="1h")
    HubMachine(tmp_path / "cold", "", mirror).execute(hf(client), "download", "org/model")
    assert len(hub.requests) <= len(MODEL) + 3, [each.target for each in hub.requests]
    before = len(hub.asked("org/model"))
    HubMachine(tmp_path / "warm", "", mirror).execute(hf(client), "download", "org/model")
    assert len(hub.asked("org/model")) == before


def test_who_is_killed_in_the_middle_goes_on_where_the_mirror_is(start_mirror, hub, tmp_path):
    large = Content(24 * MIB, seed=3)
    repo = hub.repo("org/slow", {"slow.bin": large}, commit="d" * 40)
    resource = hub.cdn.resources[repo.place_of("slow.bin", large)].fault(answers.paced(12 * MIB))
    mirror, hawker = start_mirror(hawker_options={"fetch.connections": 1})
    machine = HubMachine(tmp_path / "one", pypi.python("hub1"), mirror, HF_HUB_DISABLE_XET="1")
    first = machine.start(hf("hub1"), "download", "org/slow")
    eventually(lambda: resource.bytes_sent > 4 * MIB, "some of it on its way", within=60)
    first.kill()
    first.wait()
    resource.heal()
    machine.execute(hf("hub1"), "download", "org/slow")
    assert next(machine.cache.rglob("slow.bin")).read_bytes() == large.bytes()
    assert resource.bytes_sent <= 1.05 * large.size


def test_a_connection_that_breaks_in_the_middle_is_resumed_by_the_client(start_mirror, hub, tmp_path):
    large = Content(24 * MIB, seed=3)
    repo = hub.repo("org/slow", {"slow.bin": large}, commit="d" * 40)
    mirror, hawker = start_mirror()
    place = hub.cdn.resources[repo.place_of("slow.bin", large)]
    for program in ("hub0", "hub1", "xet"):
        relay = BreakingRelay(mirror.address, after=15 * MIB)
        machine = HubMachine(tmp_path / program, pypi.python(program), MirrorClient(relay.url), HF_HUB_DISABLE_XET="1")
        # Some ask for the rest at once; others give up, and ask for it, or all of it, when they are called again.
        for _ in range(2):
            if not list(machine.cache.rglob("slow.bin")):
                machine.execute(hf(program), "download", "org/slow", check=False)
        assert next(machine.cache.rglob("slow.bin")).read_bytes() == large.bytes()
        assert relay.broken == 1
        relay.close()
    assert place.bytes_sent <= 1.05 * large.size
    eventually(lambda: any(line["status"] == 206 and "slow.bin" in line["url"] for line in hawker.exchanges()), "a part of it")


def test_a_busy_hub_is_waited_for_as_it_says(start_mirror, hub, tmp_path):
    words = {"Retry_After": "1", "RateLimit": '"api";r=0;t=1', "RateLimit_Policy": '"fixed window";"api";q=500;w=300'}
    mirror, _ = start_mirror()
    for program in ("hub1", "xet"):  # 0.36 does not wait
        repo = hub.repo(f"org/{program}", {"config.json": b"{}"}, commit="d" * 40)
        hub.resource(f"{repo.at}/revision/main").fault(answers.status(429, **words), times=1)
        call = f"import huggingface_hub as hub; print(hub.hf_hub_download('{repo.name}', 'config.json'))"
        machine = HubMachine(tmp_path / program, "", mirror)
        assert "snapshots" in machine.execute(pypi.python(program), "-c", call)
        assert len(hub.asked(f"{repo.at}/revision/main")) == 2

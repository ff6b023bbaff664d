"""`xet: serve`: the real huggingface_hub with hf_xet knows nothing but HF_ENDPOINT, and its bytes come by Xet, through the mirror.

The stand-in CAS speaks TLS with a certificate that these clients do not trust: nothing of theirs can reach it but through us.
"""

import random
import subprocess

import pytest

from harness import pypi
from harness.cas import Cas
from harness.clients import environment
from harness.content import MIB, Text
from harness.mirror_client import MirrorClient
from harness.rules import rule
from harness.signing import secret
from harness.small_hub import SmallHub
from harness.waiting import patience
from harness.xet_client import XetMachine
from harness.xet_hub import XetRepo
from harness.xet_machines import tls_cas  # noqa: F401: a fixture

XORBS = rule("xorbs", r"^https://127\.0\.0\.1:\d+/xorbs/default/[0-9a-f]{64}", key={"strip": ["huggingface"], "range": True})
CONFIG = b'{"architectures": ["Small"]}'
NAME = "org/model"


@pytest.fixture
def cas(tls_cas):
    return tls_cas


@pytest.fixture
def weights():
    return random.Random(11).randbytes(7 * MIB)


@pytest.fixture
def make_repo(cas, origin, other_origin, tmp_path, authority, weights):
    def make(token=None):
        uploader = XetMachine(tmp_path / "uploader", ca_file=authority.ca_file)
        hashes = uploader.upload(cas.token(NAME, "write"), {"model.bin": weights})
        files = {"config.json": CONFIG, "model.bin": Text(weights)}
        return XetRepo(SmallHub(origin, other_origin), NAME, files, cas, hashes, token)

    return make


@pytest.fixture
def start_mirror(start_hawker, origin):
    def start(**keys):
        mirror = {"listen": "127.0.0.1:0", "kind": "huggingface", "upstreams": [origin.url("")], "xet": "serve",
                  "xet_hosts": ["127.0.0.1"], **keys}
        hawker = start_hawker({"mirrors": [mirror]}, rules=[XORBS])
        return MirrorClient(hawker.mirrors[0]), hawker

    return start


@pytest.fixture
def machine(tmp_path):
    """machine("one", mirror): runs huggingface_hub there, with a home of its own; the snapshot's folder."""

    def run(name, mirror, call, token=None):
        home = tmp_path / name
        home.mkdir()
        more = {"HF_TOKEN": token} if token else {}
        code = f"import huggingface_hub as hub; print({call})"
        done = subprocess.run([str(pypi.python("xet")), "-c", code], capture_output=True, text=True, check=False,
                              env=environment(HOME=str(home), HF_HOME=str(home / "hf"), HF_ENDPOINT=mirror.url,
                                              HF_XET_CLIENT_RETRY_BASE_DELAY="50ms", HF_HUB_DISABLE_PROGRESS_BARS="1", **more),
                              timeout=patience(120))
        if done.returncode != 0:
            raise AssertionError(f"huggingface_hub ended with {done.returncode}:\n{done.stderr[-4000:]}")
        return home, done.stdout.strip()

    return run


def file_in(home, name):
    return next(home.glob(f"hf/hub/**/snapshots/*/{name}")).read_bytes()


SNAPSHOT = f'hub.snapshot_download("{NAME}")'
ONE_FILE = f'hub.hf_hub_download("{NAME}", "model.bin")'


@pytest.mark.parametrize("call", [SNAPSHOT, ONE_FILE])
def test_the_second_machines_bytes_come_by_xet_from_the_cache(cas, make_repo, start_mirror, machine, other_origin, weights, call):
    make_repo()
    mirror, hawker = start_mirror()
    home, _ = machine("one", mirror, call)
    assert file_in(home, "model.bin") == weights
    fetched = len(cas.storage.whole_answers)
    assert fetched
    home, _ = machine("two", mirror, call)
    assert file_in(home, "model.bin") == weights
    assert len(cas.storage.whole_answers) == fetched
    assert other_origin.bytes_sent == 0  # nothing came over the bridge to plain HTTP
    hawker.exchange("/xorbs/default/", source="hit")
    if call == SNAPSHOT:
        assert file_in(home, "config.json") == CONFIG


def test_who_may_not_read_the_repository_gets_neither_token_nor_bytes(cas, make_repo, start_mirror, machine, weights):
    token = secret("hub")
    make_repo(token)
    mirror, _ = start_mirror()
    home, _ = machine("one", mirror, ONE_FILE, token)
    assert file_in(home, "model.bin") == weights
    asked = len(cas.requests)
    with pytest.raises(AssertionError, match="401"):
        machine("two", mirror, ONE_FILE)
    assert mirror.get(f"/api/models/{NAME}/xet-read-token/main").status == 401
    assert len(cas.requests) == asked


@pytest.mark.parametrize("xet", ["strip", "serve"])
def test_the_mirrors_own_token_asks_for_no_right_to_write(make_repo, start_mirror, xet):
    token = secret("mirror")
    make_repo(token)
    mirror, _ = start_mirror(token=token, xet=xet)
    assert mirror.get(f"/api/models/{NAME}/xet-write-token/main").status == 401
    assert mirror.get(f"/api/models/{NAME}/xet-write-token/main", Authorization=f"Bearer {token}").status == 200


def test_the_mirrors_own_token_goes_to_the_hub_and_to_nobody_else(cas, make_repo, start_mirror, machine, weights):
    token = secret("mirror")
    make_repo(token)
    mirror, _ = start_mirror(token=token)
    home, _ = machine("one", mirror, ONE_FILE)
    assert file_in(home, "model.bin") == weights
    assert not any(token in (request.header("Authorization") or "") for request in cas.requests + cas.storage.requests)


def test_it_speaks_to_servers_of_xet_and_to_nobody_else(cas, make_repo, start_mirror, other_origin):
    make_repo()
    mirror, _ = start_mirror(xet_hosts=["cas.hawker.test"])
    host = cas.api.host
    for path in (f"/xet/https/{host}/v1/reconstructions/{'a' * 64}", "/xet/https/evil.example/"):
        assert mirror.get(path).status == 404
    assert cas.requests[-1].path != f"/v1/reconstructions/{'a' * 64}"
    before = len(other_origin.requests)
    assert mirror.get(f"/xet/http/{other_origin.host}/").header("X-Error-Code") == "RepoNotFound", "a name at the Hub, and no server"
    assert len(other_origin.requests) == before


def test_a_user_may_be_called_xet(origin, other_origin, start_mirror):
    repo = SmallHub(origin, other_origin).repo("xet/model", {"config.json": CONFIG})
    mirror, _ = start_mirror()
    assert mirror.get(repo.resolve("config.json")).body == CONFIG


def test_what_leads_to_xet_leads_to_the_name_that_the_client_used(cas, make_repo, start_mirror):
    repo = make_repo()
    mirror, _ = start_mirror()
    head = mirror.head(repo.resolve("model.bin"))
    assert head.status == 200
    assert head.header("X-Xet-Hash") == repo.hashes["model.bin"]
    assert head.header("Content-Length") == head.header("X-Linked-Size")
    assert head.header("Location") is None
    for target in [member.partition(">")[0].strip(" <") for member in head.header("Link").split(",")]:
        assert target.startswith(f"{mirror.url}/")
    token = mirror.get(f"/api/models/{NAME}/xet-read-token/main")
    assert token.header("X-Xet-Cas-Url") == f"{mirror.url}/xet/https/{cas.api.host}"
    assert f'"{mirror.url}/xet/https/{cas.api.host}"'.encode() in token.body
    assert cas.url.encode() not in token.body

"""`kind: git-lfs`: git hosts in our name, with git-lfs itself and no certificate authority of ours."""

import base64
import json

import pytest

from harness.clients import sha256_of
from harness.content import KIB, MIB, Content
from harness.crowd import Crowd
from harness.mirror_client import MirrorClient
from harness.origin_answer import truncated, wrong_bytes
from harness.secrets import plant

WEIGHTS = Content(12 * MIB, seed=3)
TOKENS = Content(300 * KIB, seed=4)
FILES = {"weights.bin": WEIGHTS, "tokens.bin": TOKENS}
ALL = WEIGHTS.size + TOKENS.size
HOSTS = {"github": "signed_link", "gitlab": "link_with_field", "gitea": "link_at_home"}
OWNER = "Basic " + base64.b64encode(b"owner:secret").decode()


@pytest.fixture
def mirror_of(start_hawker):
    """mirror_of(lfs_server): the mirror's client, and the daemon."""

    def start(lfs_server, **keys):
        mirror = {"listen": "127.0.0.1:0", "kind": "git-lfs", "upstreams": [lfs_server.base], **keys}
        hawker = start_hawker({"mirrors": [mirror]})
        return MirrorClient(hawker.mirrors[0]), hawker

    return start


def use_lfs_url(git, mirror, lfs_server):
    git.configure("lfs.url", f"{mirror.url}/team/models.git/info/lfs")


def use_instead_of(git, mirror, lfs_server):
    git.configure(f"url.{mirror.url}/.insteadOf", f"{lfs_server.base}/")


def log_in(git, user, password):
    git.configure("credential.helper", f"!f() {{ echo username={user}; echo password={password}; }}; f")


def assert_whole(clone, files=None):
    for name, content in (files or FILES).items():
        assert sha256_of(clone / name) == content.sha256()


def bytes_read(lfs_server):
    return lfs_server.storage.bytes_sent + lfs_server.bytes_from_home


@pytest.mark.parametrize("point", [use_lfs_url, use_instead_of])
@pytest.mark.parametrize("host", HOSTS)
def test_the_second_clone_reads_no_object_from_the_host(host, point, mirror_of, lfs_server, git):
    lfs_server.create(FILES)
    lfs_server.link = getattr(lfs_server, HOSTS[host])
    mirror, hawker = mirror_of(lfs_server)
    point(git, mirror, lfs_server)
    assert_whole(git.clone(lfs_server.repo))
    first = bytes_read(lfs_server)
    assert ALL <= first <= 1.01 * ALL
    assert_whole(git.clone(lfs_server.repo))
    assert bytes_read(lfs_server) == first
    assert hawker.log_line(r"task done .*task=[0-9a-f]{64}")


@pytest.mark.parametrize("host", HOSTS)
def test_nobody_reads_a_private_object_without_the_hosts_word(host, mirror_of, lfs_server, git):
    lfs_server.create(FILES)
    lfs_server.link = getattr(lfs_server, HOSTS[host])
    lfs_server.authorization = OWNER
    mirror, _ = mirror_of(lfs_server)
    use_lfs_url(git, mirror, lfs_server)
    log_in(git, "owner", "secret")
    assert_whole(git.clone(lfs_server.repo))
    question = {"operation": "download", "objects": [{"oid": WEIGHTS.sha256(), "size": WEIGHTS.size}]}
    for stranger in ({}, {"Authorization": "Basic " + base64.b64encode(b"stranger:guess").decode()}):
        answer = ask_batch(mirror, question, **stranger)
        assert answer.status == 401 and answer.header("LFS-Authenticate") == 'Basic realm="lfs"'


def ask_batch(mirror, question, **headers):
    body = json.dumps(question).encode()
    fields = {"Content-Type": "application/vnd.git-lfs+json", "Accept": "application/vnd.git-lfs+json", **headers}
    return mirror.request("POST", "/team/models.git/info/lfs/objects/batch", fields, body)


def links_of(mirror, *contents):
    asked = [{"oid": content.sha256(), "size": content.size} for content in contents]
    answer = ask_batch(mirror, {"operation": "download", "objects": asked})
    return [each["actions"]["download"]["href"].removeprefix(mirror.url) for each in json.loads(answer.body)["objects"]]


def test_a_link_is_for_its_object_alone_and_for_no_other_host(mirror_of, lfs_server):
    lfs_server.create(FILES)
    mirror, _ = mirror_of(lfs_server)
    weights, tokens = links_of(mirror, WEIGHTS, TOKENS)
    assert mirror.get(tokens).body == TOKENS.bytes()
    forged = weights.replace(WEIGHTS.sha256(), TOKENS.sha256())
    elsewhere = tokens.rpartition("/")[0] + "/" + base64.urlsafe_b64encode(b"http://169.254.169.254/latest").decode()
    for link in (forged, elsewhere, "/.hawker/lfs/", tokens + "x"):
        answer = mirror.get(link)
        assert answer.status == 403 and "Ask the batch API again" in answer.text


@pytest.mark.parametrize("spelled", ["Bearer {}", "Basic {}"])
def test_the_mirrors_token_that_a_host_echoes_stays_with_the_mirror(start_hawker, origin, spelled):
    token = plant("token_of_the_mirror")
    echoed = spelled.format(token if "Bearer" in spelled else base64.b64encode(f"any:{token}".encode()).decode())
    shown = []

    def batch(request, answer):
        shown.append(request.header("Authorization"))
        link = {"href": origin.url("/team/models.git/object"), "header": {"Authorization": echoed}}
        objects = [{"oid": TOKENS.sha256(), "size": TOKENS.size, "actions": {"download": link}}]
        answer.become(200, {"Content-Type": "application/vnd.git-lfs+json"}, json.dumps({"objects": objects}).encode())

    origin.add_handler("/team/models.git/info/lfs/objects/batch", batch)
    stored = origin.add("/team/models.git/object", TOKENS)
    keys = [{"listen": "127.0.0.1:0", "kind": "git-lfs", "upstreams": [origin.url("")], **more} for more in ({"token": token}, {})]
    hawker = start_hawker({"mirrors": keys})
    mirror, other = (MirrorClient(url) for url in hawker.mirrors)
    answer = ask_batch(mirror, {"operation": "download", "objects": [{"oid": TOKENS.sha256(), "size": TOKENS.size}]})
    assert shown == [f"Bearer {token}"]
    assert token not in answer.text and echoed.rpartition(" ")[2] not in answer.text
    action = json.loads(answer.body)["objects"][0]["actions"]["download"]
    assert "Authorization" not in action["header"] and action["expires_in"] > 0
    link = action["href"].removeprefix(mirror.url)
    other.get(link)
    assert stored.requests[0].header("Authorization") is None, "another mirror has none to lend"
    assert mirror.get(link).body == TOKENS.bytes()


def test_ranges_and_head_of_a_link_are_answered_from_the_cache(mirror_of, lfs_server):
    lfs_server.create(FILES)
    mirror, hawker = mirror_of(lfs_server)
    [link] = links_of(mirror, WEIGHTS)
    hawker.wait_until_stored(mirror.get(link))
    before = lfs_server.storage.bytes_sent
    part = mirror.get(link, Range="bytes=1000-1999")
    assert (part.status, part.body) == (206, WEIGHTS.bytes(1000, 2000))
    assert mirror.head(link).header("Content-Length") == str(WEIGHTS.size)
    assert lfs_server.storage.bytes_sent == before


def test_three_clones_at_once_cost_one_transfer(mirror_of, lfs_server, git):
    lfs_server.create(FILES)
    mirror, _ = mirror_of(lfs_server)
    use_lfs_url(git, mirror, lfs_server)
    crowd = Crowd()
    for number in range(3):
        crowd.start(git.run, "clone", "-q", lfs_server.repo, git.folder / f"together-{number}")
    crowd.join()
    for number in range(3):
        assert_whole(git.folder / f"together-{number}")
    assert lfs_server.storage.bytes_sent <= 1.01 * ALL


def test_a_store_that_stumbles_is_hidden_and_one_that_lies_is_not_believed(mirror_of, lfs_server, git):
    lfs_server.create(FILES)
    mirror, _ = mirror_of(lfs_server)
    use_lfs_url(git, mirror, lfs_server)
    git.configure("lfs.transfer.maxretries", "1")
    lfs_server.object(WEIGHTS).fault(wrong_bytes())
    assert git.run("clone", "-q", lfs_server.repo, git.folder / "failed", check=False).returncode != 0
    lfs_server.object(WEIGHTS).heal()
    lfs_server.object(WEIGHTS).fault(truncated(3 * MIB), times=2)
    assert_whole(git.clone(lfs_server.repo))


def test_an_interrupted_pull_is_resumed(mirror_of, lfs_server, git):
    lfs_server.create(FILES)
    mirror, hawker = mirror_of(lfs_server)
    use_lfs_url(git, mirror, lfs_server)
    clone = git.clone(lfs_server.repo, GIT_LFS_SKIP_SMUDGE="1")
    incomplete = clone / ".git" / "lfs" / "incomplete"
    incomplete.mkdir(parents=True, exist_ok=True)
    (incomplete / f"{WEIGHTS.sha256()}.part").write_bytes(WEIGHTS.bytes(0, 5 * MIB + 7))
    git.run("lfs", "pull", cwd=clone)
    assert_whole(clone)
    hawker.exchange("", status=206)


def test_a_push_goes_through_and_the_next_clone_has_it(mirror_of, lfs_server, git):
    lfs_server.create(FILES)
    mirror, _ = mirror_of(lfs_server)
    use_instead_of(git, mirror, lfs_server)
    added = Content(500 * KIB, seed=9)
    git.push(git.clone(lfs_server.repo), "added.bin", added)
    upload = lfs_server.object(added)
    assert upload.received == added.bytes()
    upload.replace(added)
    assert_whole(git.clone(lfs_server.repo), {**FILES, "added.bin": added})


def test_another_host_takes_over_for_the_question(mirror_of, lfs_server, start_hawker, git):
    lfs_server.create(FILES)
    mirror, _ = mirror_of(lfs_server, upstreams=["http://127.0.0.1:9", lfs_server.base])
    use_lfs_url(git, mirror, lfs_server)
    assert_whole(git.clone(lfs_server.repo))


def test_offline_says_what_to_set(mirror_of, lfs_server):
    lfs_server.create(FILES)
    mirror, _ = mirror_of(lfs_server, offline=True)
    answer = ask_batch(mirror, {"operation": "download", "objects": []})
    assert answer.status == 504 and "offline: false" in answer.text
    assert not lfs_server.batches

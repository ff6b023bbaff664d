"""git and git-lfs with exactly the three settings that the documentation gives."""

import pytest

from harness.clients import sha256_of
from harness.content import KIB, MIB, Content
from harness.crowd import Crowd
from harness.lfs_server import PREFIX, object_path
from harness.origin_answer import status, truncated, wrong_bytes
from harness.rules import rule

WEIGHTS = Content(20 * MIB, seed=3)
TOKENS = Content(300 * KIB, seed=4)
FILES = {"weights.bin": WEIGHTS, "tokens.bin": TOKENS}


def lfs_rule(access="verify"):
    return rule("lfs", "^http://[^/]+" + PREFIX + "[0-9a-f]{2}/[0-9a-f]{2}/(?P<sha256>[0-9a-f]{64})", digest="sha256",
                origin_scheme="https", access=access)


@pytest.fixture
def lfs_hawker(start_hawker):
    return start_hawker(rules=[lfs_rule()])


def assert_whole(clone, files=None):
    for name, content in (files or FILES).items():
        assert sha256_of(clone / name) == content.sha256()


def test_the_second_clone_reads_nothing_from_the_storage(lfs_hawker, lfs_server, git):
    lfs_server.create(FILES)
    git.use_proxy(lfs_hawker, lfs_server.storage)
    assert_whole(git.clone(lfs_server.repo))
    first = lfs_server.storage.bytes_sent
    assert first <= 1.01 * (WEIGHTS.size + TOKENS.size)
    assert_whole(git.clone(lfs_server.repo))
    assert len(set(lfs_server.handed_out)) == 4  # every URL was signed anew
    # `access: verify` asks for one byte with each new signature, and for nothing else.
    assert lfs_server.storage.bytes_sent - first <= 2
    done = lfs_hawker.log_line(r"task done .*task=[0-9a-f]{64}")
    assert "bytes=" in done and "cost=" in done and "from=" in done


def test_with_capability_the_second_clone_asks_the_storage_nothing_at_all(start_hawker, lfs_server, git):
    hawker = start_hawker(rules=[lfs_rule("capability")])
    lfs_server.create(FILES)
    git.use_proxy(hawker, lfs_server.storage)
    git.clone(lfs_server.repo)
    before = len(lfs_server.storage.requests)
    assert_whole(git.clone(lfs_server.repo))
    assert len(lfs_server.storage.requests) == before


def test_two_clones_at_the_same_time_cost_one_transfer(lfs_hawker, lfs_server, git):
    lfs_server.create(FILES)
    git.use_proxy(lfs_hawker, lfs_server.storage)
    crowd = Crowd()
    for number in range(3):
        crowd.start(git.run, "clone", "-q", lfs_server.repo, git.folder / f"together-{number}")
    crowd.join()
    for number in range(3):
        assert_whole(git.folder / f"together-{number}")
    assert lfs_server.storage.bytes_sent <= 1.01 * (WEIGHTS.size + TOKENS.size)


def test_the_storage_is_reached_by_https_although_the_client_said_http(lfs_hawker, lfs_server, git):
    lfs_server.create(FILES)
    git.use_proxy(lfs_hawker, lfs_server.storage)
    assert_whole(git.clone(lfs_server.repo))
    assert all(href.startswith("https://") for href in lfs_server.handed_out)
    # Everything reached a TLS socket; and hawker saw the paths, so nothing of it was a tunnel.
    assert lfs_hawker.exchange(object_path(WEIGHTS.sha256()))["rule"] == "lfs"
    assert all(line["source"] != "tunnel" for line in lfs_hawker.exchanges())


def test_an_expired_url_is_refused_although_the_object_is_cached(lfs_hawker, lfs_server, git):
    lfs_server.create(FILES)
    git.use_proxy(lfs_hawker, lfs_server.storage)
    git.clone(lfs_server.repo)
    expired = lfs_server.storage.signed_url(object_path(WEIGHTS.sha256()), ttl=-60, scheme="http")
    answer = lfs_hawker.fetch(expired)
    assert (answer.status, answer.text) == (403, "<Error><Code>RequestExpired</Code></Error>")
    # git-lfs refuses a URL that says it has expired, asks again, and comes through.
    lfs_server.ttl = 3600
    assert_whole(git.clone(lfs_server.repo))


def test_an_interrupted_pull_is_resumed_by_git_lfs(lfs_hawker, lfs_server, git):
    lfs_server.create(FILES)
    git.use_proxy(lfs_hawker, lfs_server.storage)
    clone = git.clone(lfs_server.repo, GIT_LFS_SKIP_SMUDGE="1")
    incomplete = clone / ".git" / "lfs" / "incomplete"
    incomplete.mkdir(parents=True, exist_ok=True)
    (incomplete / f"{WEIGHTS.sha256()}.part").write_bytes(WEIGHTS.bytes(0, 7 * MIB + 5))
    git.run("lfs", "pull", cwd=clone)
    assert_whole(clone)
    assert lfs_hawker.exchange(object_path(WEIGHTS.sha256()))["status"] == 206


def test_a_storage_that_breaks_and_stumbles_is_hidden_from_git_lfs(lfs_hawker, lfs_server, git):
    lfs_server.create(FILES)
    lfs_server.object(WEIGHTS).fault(status(503), times=1).fault(truncated(6 * MIB), times=2)
    git.use_proxy(lfs_hawker, lfs_server.storage)
    assert_whole(git.clone(lfs_server.repo))


def test_wrong_bytes_of_the_storage_never_poison_later_pulls(lfs_hawker, lfs_server, git):
    lfs_server.create(FILES)
    lfs_server.object(WEIGHTS).fault(wrong_bytes())
    git.use_proxy(lfs_hawker, lfs_server.storage)
    git.configure("lfs.transfer.maxretries", "1")
    failed = git.run("clone", "-q", lfs_server.repo, git.folder / "failed", check=False)
    assert failed.returncode != 0
    lfs_server.object(WEIGHTS).heal()
    assert_whole(git.clone(lfs_server.repo))


def test_a_push_goes_through_and_the_next_clone_has_it(lfs_hawker, lfs_server, git):
    lfs_server.create(FILES)
    git.use_proxy(lfs_hawker, lfs_server.storage)
    added = Content(500 * KIB, seed=9)
    git.push(git.clone(lfs_server.repo), "added.bin", added)
    upload = lfs_server.object(added)
    assert upload.received == added.bytes()
    upload.replace(added)
    assert_whole(git.clone(lfs_server.repo), {**FILES, "added.bin": added})


def test_a_git_host_behind_tls_goes_through_the_tunnel_and_its_objects_through_the_cache(start_hawker, tls_lfs_server, git):
    hawker = start_hawker({"destinations.connect_ports": [str(tls_lfs_server.port)]}, rules=[lfs_rule()])
    tls_lfs_server.create(FILES)
    git.use_proxy(hawker, tls_lfs_server.storage)
    assert_whole(git.clone(tls_lfs_server.repo))
    first = tls_lfs_server.storage.bytes_sent
    assert_whole(git.clone(tls_lfs_server.repo))
    assert tls_lfs_server.storage.bytes_sent - first <= 2
    hawker.exchange(tls_lfs_server.host, source="tunnel")

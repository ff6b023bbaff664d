"""`kind: huggingface`: what the Hub last said of everybody's rights is what counts while it cannot be asked."""

import time

import pytest

from harness.hub_mirror import FILES, WEIGHTS, hub, repo, restarted, start_mirror, stored  # noqa: F401: some are fixtures
from harness.mirror_client import MirrorClient
from harness.secrets import plant
from harness.waiting import eventually

ANYBODY = {}
SHORT = {"access_ttl": "1ms"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def everything(repo):
    return [repo.resolve("model.bin"), repo.resolve("model.bin", repo.commit), repo.resolve("config.json", repo.commit),
            repo.resolve("README.md", repo.commit), repo.resolve("missing.json", repo.commit), f"{repo.at}/tree/{repo.commit}",
            f"{repo.at}/revision/main"]


def fetch_all(mirror, hawker, repo, headers):
    for path in everything(repo):
        answer = mirror.request("GET", path, headers)
        if answer.status == 200 and answer.cache_status.get("key"):
            hawker.wait_until_stored(answer)


def statuses(mirror, repo, headers):
    return {path: mirror.request("GET", path, headers).status for path in everything(repo)}


def is_closed(mirror, repo, headers):
    answered = statuses(mirror, repo, headers)
    return all(status not in (200, 404) for status in answered.values()) or answered


def is_open(mirror, repo, headers):
    answered = statuses(mirror, repo, headers)
    return all(status in (200, 404) for status in answered.values()) or answered


def next_second():
    """Which of two words is the later one is told by the second."""
    now = int(time.time())
    eventually(lambda: int(time.time()) > now, "the next second")


@pytest.fixture
def public(hub):  # noqa: F811
    return hub.repo("org/open", {**FILES, "README.md": b"# Read me"})


@pytest.mark.parametrize("asked", [lambda repo: repo.resolve("model.bin", repo.commit), lambda repo: f"{repo.at}/revision/main"],
                         ids=["for a file", "for the repository"])
def test_what_was_closed_to_everybody_since_stays_closed_without_the_hub(start_mirror, hub, public, asked):  # noqa: F811
    mirror, hawker = start_mirror(ref_ttl="0s", hawker_options=SHORT)
    fetch_all(mirror, hawker, public, ANYBODY)
    member, stranger = plant("hf_of_a_member"), bearer(plant("hf_of_a_stranger"))
    public.token = member
    eventually(lambda: mirror.get(asked(public)).status == 401, "the last yes is over")
    hub.down = True
    by_commit = public.resolve("model.bin", public.commit)
    for headers in (ANYBODY, stranger):
        assert mirror.request("GET", by_commit, headers).status == 403
        assert mirror.request("HEAD", by_commit, headers).status == 403
    if "revision" in asked(public):
        assert is_closed(mirror, public, ANYBODY) is True
        assert is_closed(mirror, public, stranger) is True
    # A no outlives the process, however that ends; the Hub's next yes to somebody without a token takes it back.
    hawker.kill()
    hawker.restart()
    mirror = MirrorClient(hawker.mirrors[0])
    assert mirror.get(by_commit).status == 403
    hub.down, public.token = False, None
    fetch_all(mirror, hawker, public, ANYBODY)
    hub.down = True
    assert is_open(mirror, public, stranger) is True


def test_a_listing_that_only_a_member_may_hear_by_now_is_closed_on_the_disk_too(start_mirror, hub, public):  # noqa: F811
    mirror, hawker = start_mirror(ref_ttl="0s", hawker_options=SHORT)
    public.leaves_out = ("private", "gated")
    fetch_all(mirror, hawker, public, ANYBODY)
    public.token = plant("hf_of_a_member")
    next_second()
    tree = f"{public.at}/tree/main"
    assert mirror.request("GET", tree, bearer(public.token)).status == 200
    mirror = restarted(hawker, offline=True)
    assert mirror.get(tree).status == 403
    assert mirror.request("GET", tree, bearer(public.token)).status == 403, "its yes is over"


def test_what_the_hub_says_is_public_is_read_without_it_whoever_brought_it(start_mirror, hub, public):  # noqa: F811
    reader, another = bearer(plant("hf_of_a_reader")), bearer(plant("hf_of_another"))
    mirror, hawker = start_mirror(hawker_options=SHORT)
    fetch_all(mirror, hawker, public, reader)
    hub.down = True
    for headers in (reader, another, ANYBODY):
        assert is_open(mirror, public, headers) is True
    mirror = restarted(hawker, offline=True)
    for headers in (reader, another, ANYBODY):
        assert is_open(mirror, public, headers) is True


def test_what_a_member_brought_is_open_once_it_is_public(start_mirror, hub, public):  # noqa: F811
    public.token = plant("hf_of_a_member")
    member = bearer(public.token)
    mirror, hawker = start_mirror(ref_ttl="0s", hawker_options=SHORT)
    fetch_all(mirror, hawker, public, member)
    hub.down = True
    assert is_closed(mirror, public, ANYBODY) is True
    hub.down, public.token = False, None
    assert mirror.get(public.resolve("model.bin", public.commit)).status == 200
    hub.down = True
    assert mirror.get(public.resolve("config.json", public.commit)).status == 200


def test_a_gated_repository_never_counts_as_open(start_mirror, hub):  # noqa: F811
    token = plant("hf_of_one_who_agreed")
    repo = hub.repo("org/gated", {**FILES, "README.md": b"# Agree"}, token=token, gated=True)  # noqa: F811
    mirror, hawker = start_mirror(ref_ttl="0s", hawker_options=SHORT)
    fetch_all(mirror, hawker, repo, bearer(token))
    assert mirror.get(f"{repo.at}/revision/main").status == 200
    hub.down = True
    for headers in (ANYBODY, bearer(token)):
        assert mirror.request("GET", repo.resolve("model.bin", repo.commit), headers).status == 403
        assert mirror.request("GET", repo.resolve("config.json", repo.commit), headers).status == 403
    assert mirror.get(f"{repo.at}/tree/{repo.commit}").status == 200


def test_what_becomes_gated_is_closed_by_whoever_hears_of_it(start_mirror, hub, public):  # noqa: F811
    mirror, hawker = start_mirror(ref_ttl="0s", hawker_options=SHORT)
    fetch_all(mirror, hawker, public, ANYBODY)
    public.token, public.gated = plant("hf_of_one_who_agreed"), True
    assert mirror.request("GET", f"{public.at}/revision/main", bearer(public.token)).status == 200
    hub.down = True
    assert mirror.get(public.resolve("model.bin", public.commit)).status == 403
    assert mirror.get(public.resolve("README.md", public.commit)).status == 200


def test_information_that_does_not_say_so_opens_nothing(start_mirror, hub, public):  # noqa: F811
    public.leaves_out = ("gated",)
    reader = bearer(plant("hf_of_a_reader"))
    mirror, hawker = start_mirror(hawker_options=SHORT)
    fetch_all(mirror, hawker, public, reader)
    hub.down = True
    assert is_closed(mirror, public, ANYBODY) is True


def test_a_yes_to_everybody_is_none_for_what_a_member_brings_later(start_mirror, hub, public):  # noqa: F811
    public.leaves_out = ("private", "gated")
    mirror, hawker = start_mirror(ref_ttl="0s", hawker_options=SHORT)
    stored(hawker, mirror.get(public.resolve("model.bin", public.commit)))
    public.token = plant("hf_of_a_member")
    next_second()
    stored(hawker, mirror.request("GET", public.resolve("config.json", public.commit), bearer(public.token)))
    hub.down = True
    assert mirror.get(public.resolve("config.json", public.commit)).status == 403
    assert mirror.get(public.resolve("model.bin", public.commit)).status == 200, "as far as anybody here knows"


def test_our_own_no_without_the_hub_is_no_word_of_the_hubs(start_mirror, hub, public):  # noqa: F811
    public.leaves_out = ("gated",)
    mirror, hawker = start_mirror(hawker_options=SHORT)
    reader = bearer(plant("hf_of_a_reader"))
    by_commit = {path: public.resolve(path, public.commit) for path in ("model.bin", "config.json")}
    stored(hawker, mirror.request("GET", by_commit["model.bin"], reader))
    hub.down = True
    assert mirror.get(by_commit["model.bin"]).status == 403
    hub.down = False
    stored(hawker, mirror.get(by_commit["config.json"]))
    hub.down = True
    assert mirror.get(by_commit["model.bin"]).status == 200, "an anonymous yes is for the repository's files"


def test_what_is_known_not_to_be_there_is_said_without_the_hub_as_the_files_beside_it_are(start_mirror, hub, public):  # noqa: F811
    mirror, hawker = start_mirror(hawker_options=SHORT)
    for method in ("GET", "HEAD"):
        assert mirror.request(method, public.resolve("missing.json", public.commit), {}).status == 404
    stored(hawker, mirror.get(public.resolve("model.bin", public.commit)))
    asked = len(hub.requests)
    again = mirror.get(public.resolve("missing.json", public.commit))
    assert (again.status, len(hub.requests)) == (404, asked + 1), "the right to hear it is asked for"
    hub.down = True
    for headers in (ANYBODY, bearer(plant("hf_of_a_reader"))):
        answer = mirror.request("GET", public.resolve("missing.json", public.commit), headers)
        assert (answer.status, answer.header("X-Error-Code")) == (404, "EntryNotFound")
        assert answer.body == again.body and b"Entry not found" in answer.body
        assert mirror.request("GET", public.resolve("model.bin", public.commit), headers).body == WEIGHTS.bytes()
    hub.down, public.token = False, plant("hf_of_a_member")

    def refused():
        answer = mirror.get(public.resolve("missing.json", public.commit))
        return (answer.status, answer.header("X-Error-Code")) == (401, "RepoNotFound")
    eventually(refused, "the Hub to be asked again after its rest")
    hub.down = True
    assert mirror.get(public.resolve("missing.json", public.commit)).status == 503

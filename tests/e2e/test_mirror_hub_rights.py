"""`kind: huggingface`: who may read what is cached, with the Hub and without it, before a restart and after."""

import os
import stat

import pytest

from harness import origin_answer as answers
from harness.hub_mirror import FILES, WEIGHTS, hub, repo, restarted, start_mirror, stored  # noqa: F401: some are fixtures
from harness.mirror_client import MirrorClient
from harness.secrets import plant
from harness.waiting import eventually

RECORD = 81  # bytes of the access journal; the first says what it is
YES, NO = 1, 2


def test_a_credential_never_reaches_the_cdn(start_mirror, hub):
    token = plant("hf_token_of_the_reader")
    repo = hub.repo("org/private", FILES, token=token)
    mirror, _ = start_mirror()
    assert mirror.get(repo.resolve("model.bin"), Authorization=f"Bearer {token}", Cookie="token=x").status == 200
    assert all(each.header("Authorization") is None for each in hub.cdn.requests)
    assert all(each.header("Cookie") is None for each in [*hub.cdn.requests, *hub.origin.requests])


def test_a_private_repository_is_read_only_by_whom_the_hub_lets_in(start_mirror, hub):
    token = plant("hf_token_of_a_member")
    repo = hub.repo("org/private", FILES, token=token)
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.resolve("model.bin"), Authorization=f"Bearer {token}"))
    for headers in ({}, {"Authorization": f"Bearer {plant('hf_somebody_elses')}"}):
        for path in (repo.resolve("model.bin"), repo.resolve("model.bin", repo.commit), f"{repo.at}/tree/{repo.commit}"):
            for method in ("GET", "HEAD"):
                answer = mirror.request(method, path, headers)
                assert (answer.status, answer.header("X-Error-Code")) == (401, "RepoNotFound"), (headers, path)
    before = len(hub.requests)
    assert mirror.get(repo.resolve("model.bin", repo.commit), Authorization=f"Bearer {token}").status == 200
    assert len(hub.requests) == before, "its yes is remembered for the repository"


def test_what_a_gated_repository_shows_opens_none_of_its_files(start_mirror, hub):
    token = plant("hf_token_of_one_who_agreed")
    repo = hub.repo("org/gated", {**FILES, "README.md": b"# Agree first"}, token=token, gated=True)
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.resolve("model.bin"), Authorization=f"Bearer {token}"))
    assert mirror.get(f"{repo.at}/tree/{repo.commit}").status == 200
    for readme in ("README.md", "README%2Emd", "%52EADME.md"):
        assert mirror.get(f"{repo.web}/resolve/{repo.commit}/{readme}").status == 200
    for path in (repo.resolve("model.bin"), repo.resolve("model.bin", repo.commit), repo.resolve("config.json")):
        answer = mirror.get(path)
        assert (answer.status, answer.header("X-Error-Code")) == (401, "GatedRepo"), path
        assert WEIGHTS.bytes(0, 64) not in answer.body


def test_that_the_cdn_lets_nobody_in_is_no_word_about_who_may_read(start_mirror, hub, repo):
    mirror, hawker = start_mirror(hawker_options={"access_ttl": "1ms"})
    path = repo.resolve("model.bin", repo.commit)
    assert mirror.get(f"{repo.at}/revision/main").status == 200
    stored(hawker, mirror.get(path))
    place = hub.cdn.resources[repo.place_of("model.bin", WEIGHTS)].fault(answers.status(403))
    for method in ("GET", "HEAD"):
        assert mirror.request(method, path).status == 200, "the Hub says that it is open"
    fork = hub.repo("org/other", FILES, commit="2" * 40)
    hub.cdn.resources[fork.place_of("model.bin", WEIGHTS)].fault(answers.status(403))
    assert mirror.get(fork.resolve("model.bin")).status == 403, "what is not here nobody can have"
    place.heal()
    mirror = restarted(hawker, offline=True)
    assert mirror.get(path).body == WEIGHTS.bytes()


def test_what_has_the_name_of_a_repository_and_is_none_is_for_who_asked(start_mirror, hub):
    said = {}

    def mint(request, answer):
        said[request.header("Authorization")] = said.get(request.header("Authorization"), 0) + 1
        answer.become(200, {"Content-Type": "application/json"}, b'{"token": "of %s"}' % request.header("Authorization").encode())

    hub.origin.add_handler("/api/models/gpt2/jwt", mint)
    mirror, _ = start_mirror(ref_ttl="1h")
    for user in ("Bearer hf_one", "Bearer hf_two", "Bearer hf_one", "Bearer hf_two"):
        assert user.encode() in mirror.get("/api/models/gpt2/jwt", Authorization=user).body
    assert said == {"Bearer hf_one": 2, "Bearer hf_two": 2}


def test_a_yes_to_nobody_in_particular_is_a_yes_to_all(start_mirror, hub, repo):
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.resolve("model.bin")))
    before = len(hub.requests)
    token = plant("hf_any_token_at_all")
    assert mirror.get(repo.resolve("model.bin"), Authorization=f"Bearer {token}").status == 200
    assert len(hub.requests) == before


def test_offline_everybody_reads_what_was_open_and_nobody_what_was_not(start_mirror, hub, repo):
    token = plant("hf_token_of_a_reader")
    private = hub.repo("org/private", FILES, token=token)
    mirror, hawker = start_mirror()
    bearer = {"Authorization": f"Bearer {token}"}
    for each, headers in ((repo, {}), (private, bearer)):
        mirror.request("GET", f"{each.at}/revision/main", headers)
        mirror.request("GET", f"{each.at}/tree/{each.commit}", headers)
        mirror.request("GET", each.resolve("missing.json"), headers)
        for path in FILES:
            stored(hawker, mirror.request("GET", each.resolve(path), headers))
    mirror = restarted(hawker, offline=True)
    before = len(hub.origin.requests)
    assert mirror.get(repo.resolve("model.bin")).body == WEIGHTS.bytes()
    assert mirror.head(repo.resolve("config.json", repo.commit)).status == 200
    assert mirror.get(f"{repo.at}/tree/{repo.commit}").status == 200
    assert mirror.get(repo.resolve("missing.json")).header("X-Error-Code") == "EntryNotFound"
    for path in (private.resolve("model.bin"), private.resolve("model.bin", private.commit),
                 f"{private.at}/tree/{private.commit}"):
        for headers in ({}, {"Authorization": f"Bearer {plant('hf_token_of_a_stranger')}"}):
            refused = mirror.request("GET", path, headers)
            assert refused.status == 403, path
            assert "offline_access" in refused.header("X-Error-Message")
    for path, missing in {
        repo.resolve("never-asked-for.bin"): f"'never-asked-for.bin' of models/{repo.name} at 'main'",
        repo.resolve("config.json", "4" * 40): f"'config.json' of models/{repo.name} at '{'4' * 40}'",
        repo.resolve("config.json", "dev"): f"the revision 'dev' of models/{repo.name}",
        "/nobody/nothing/resolve/main/config.json": "the revision 'main' of models/nobody/nothing",
        "/api/datasets/nobody/nothing": "the repository datasets/nobody/nothing", "/api/whoami-v2": "'/api/whoami-v2'",
    }.items():
        answer = mirror.get(path)
        assert answer.status == 504 and f"{missing} is not in its cache" in answer.text, answer.text
    assert len(hub.origin.requests) == before

    mirror = restarted(hawker, offline_access=["127.0.0.0/8"])
    assert mirror.get(private.resolve("model.bin")).body == WEIGHTS.bytes()


def noted(hawker, kind):
    """So many words of that kind are in the journal: they outlive a kill."""
    return (hawker.folder / "cache" / "access").read_bytes()[::RECORD].count(kind)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_yes_outlives_a_restart_for_the_token_that_earned_it_and_for_no_other(start_mirror, hub, end):
    token = plant("hf_token_of_a_member")
    repo = hub.repo("org/private", FILES, token=token)
    mirror, hawker = start_mirror(hawker_options={"access_ttl": "1h"})
    member, stranger = {"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer {plant('hf_somebody_elses')}"}
    stored(hawker, mirror.request("GET", repo.resolve("model.bin"), member))
    eventually(lambda: noted(hawker, YES) >= 2, "the yeses on their way to the disk")
    mirror.request("GET", f"{repo.at}/tree/{repo.commit}", member)
    assert stat.S_IMODE(os.stat(hawker.folder / "cache" / "access.key").st_mode) == 0o600
    getattr(hawker, end)()
    hawker.options["mirrors"][0]["offline"] = True
    hawker.restart()
    mirror = MirrorClient(hawker.mirrors[0])
    # What was heard a moment before the kill may not be on the disk.
    listing = [f"{repo.at}/tree/{repo.commit}", repo.resolve("model.bin")] if end == "stop" else []
    for path in (repo.resolve("model.bin", repo.commit), *listing):
        assert mirror.request("GET", path, member).status == 200, path
        for headers in ({}, stranger):
            assert mirror.request("GET", path, headers).status == 403, path


def test_a_yes_that_was_taken_back_is_not_recalled_after_a_restart(start_mirror, hub):
    token = plant("hf_token_that_is_revoked")
    repo = hub.repo("org/private", FILES, token=token)
    mirror, hawker = start_mirror(ref_ttl="0s")
    member = {"Authorization": f"Bearer {token}"}
    stored(hawker, mirror.request("GET", repo.resolve("model.bin"), member))
    repo.token = plant("hf_another_token")
    assert mirror.request("GET", repo.resolve("model.bin"), member).status == 401
    assert mirror.request("GET", repo.resolve("config.json"), member).status == 401
    eventually(lambda: noted(hawker, NO) >= 2, "the noes on their way to the disk")
    hawker.kill()
    hawker.options["mirrors"][0]["offline"] = True
    hawker.restart()
    mirror = MirrorClient(hawker.mirrors[0])
    assert mirror.request("GET", repo.resolve("model.bin"), member).status == 403


def test_the_mirrors_own_token_reads_for_those_who_have_none(start_mirror, hub):
    token = plant("hf_token_of_the_mirror")
    repo = hub.repo("org/private", FILES, token=token)
    mirror, _ = start_mirror(token=token)
    assert mirror.get(repo.resolve("model.bin")).body == WEIGHTS.bytes()
    assert mirror.get(f"{repo.at}/tree/{repo.commit}").status == 200
    for revision in ("main", repo.commit):
        asked = {"Content-Type": "application/json"}
        paths = mirror.request("POST", f"{repo.at}/paths-info/{revision}", asked, body=b'{"paths": ["model.bin"]}')
        assert paths.status == 200 and b"model.bin" in paths.body, "a question, though it is a POST"
        stranger = {**asked, "Authorization": f"Bearer {plant('hf_a_strangers_own')}"}
        assert mirror.request("POST", f"{repo.at}/paths-info/{revision}", stranger, body=b'{"paths": ["model.bin"]}').status == 401

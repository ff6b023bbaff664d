"""`kind: huggingface`: whoever has read a listing is not redirected for small files: a request a file, and no right by it."""

import pytest

from harness.hub_mirror import hub, start_mirror  # noqa: F401: fixtures
from harness.secrets import plant

MANY = {f"dir/{number} & more.json": b'{"number": %d}' % number for number in range(12)}


def asked_for(mirror, repo, files, **headers):
    """The listing, and each file after it."""
    assert mirror.get(f"{repo.at}/revision/main", **headers).status == 200
    assert mirror.get(f"{repo.at}/tree/{repo.commit}?recursive=true", **headers).status == 200
    for path, content in files.items():
        got = mirror.get(repo.resolve(path, repo.commit), **headers)
        assert (got.status, got.body, got.header("X-Repo-Commit")) == (200, content, repo.commit)


@pytest.mark.parametrize("xet", ["strip", "serve"])
def test_who_has_read_the_listing_asks_for_each_small_file_once(start_mirror, hub, xet):  # noqa: F811
    repo = hub.repo("org/many", MANY, type="datasets")
    mirror, _ = start_mirror(xet=xet, xet_hosts=["cas.hub.test"])
    asked_for(mirror, repo, {})
    for path in MANY:
        assert mirror.head(repo.resolve(path, repo.commit)).status == 200
    asked_for(mirror, repo, MANY)
    assert len(hub.requests) == len(MANY) + 2, [each.target for each in hub.requests]


def test_with_a_token_the_first_small_file_earns_the_yes_that_the_others_go_by(start_mirror, hub):
    token = plant("hf_token_of_a_member")
    repo = hub.repo("org/private", MANY, token=token)
    mirror, _ = start_mirror()
    asked_for(mirror, repo, MANY, Authorization=f"Bearer {token}")
    assert len(hub.requests) == len(MANY) + 3
    for path in MANY:
        assert mirror.get(repo.resolve(path, repo.commit)).status == 401
        assert mirror.get(repo.resolve(path, repo.commit), Authorization="Bearer hf_another").status == 401


def test_the_listing_of_a_gated_repository_opens_none_of_its_files(start_mirror, hub):
    repo = hub.repo("org/gated", MANY, gated=True, token=plant("hf_token_of_a_member"))
    mirror, _ = start_mirror()
    asked_for(mirror, repo, {})
    for path in MANY:
        assert mirror.get(repo.resolve(path, repo.commit)).status == 401
    assert not hub.asked("/api/resolve-cache/")


@pytest.mark.parametrize("wrong", ["a login page", "another file", "not there", "an error"])
def test_where_small_files_lie_elsewhere_than_listed_nobody_looks_there_again(start_mirror, hub, wrong):  # noqa: F811
    repo = hub.repo("org/many", MANY)
    become = {"a login page": (200, {"Content-Type": "text/html"}, b"<html>who are you?"),
              "another file": (200, {"ETag": f'"{"e" * 40}"', "X-Repo-Commit": repo.commit}, b"another"),
              "not there": (404, {"X-Error-Code": "EntryNotFound"}, b"no"), "an error": (500, {}, b"oh")}[wrong]
    asked = []
    for path in MANY:
        place = hub.resource(f"/api/resolve-cache/models/org/many/{repo.commit}/{path}")

        def once_wrong(request, answer, serve=place.handler):
            asked.append(request)
            if len(asked) == 1:
                answer.become(*become)
            else:
                serve(request, answer)

        place.handler = once_wrong
    mirror, _ = start_mirror()
    asked_for(mirror, repo, MANY)
    assert len(hub.requests) == 2 + 3 + 2 * (len(MANY) - 1), "the first one's wrong place, its redirect, and where that leads"

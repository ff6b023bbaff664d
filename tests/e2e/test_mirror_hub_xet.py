"""`kind: huggingface` and Xet: what the Hub is asked, and what clients are told, with `xet: serve` and without."""

import concurrent.futures
import json
import threading
import time

import pytest

from harness import origin_answer as answers
from harness.content import Text
from harness.hub_mirror import FILES, WEIGHTS, at_the_same_time, hub, repo, start_mirror  # noqa: F401: some are fixtures
from harness.origin import Origin
from harness.secrets import plant
from harness.signing import secret
from harness.small_hub import SmallHub
from harness.waiting import eventually

HOSTS = {"xet_hosts": ["cas.hub.test"]}
SERVED = {"xet": "serve", **HOSTS}


@pytest.fixture
def mint(hub):  # noqa: F811
    """mint(path): a Hub that gives tokens there, each of them another one."""
    def at(path, life=900):
        def give(_, answer):
            end, token = int(time.time()) + life, secret("token")
            fields = {"X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(end), "X-Xet-Cas-Url": "https://cas.hub.test"}
            said = {"accessToken": token, "exp": end, "casUrl": "https://cas.hub.test"}
            answer.become(200, {"Content-Type": "application/json", **fields}, json.dumps(said).encode())

        hub.origin.add_handler(path, give)
        return hub.resource(path)

    return at


def told(answer):
    return json.loads(answer.body)


# What it costs ------------------------------------------------------------------------------------------------------------


def test_a_warm_question_about_a_file_in_xet_costs_the_hub_nothing_under_a_commit(start_mirror, hub):
    token = plant("hf_token_of_a_member")
    repo = hub.repo("org/private", FILES, token=token)
    member = {"Authorization": f"Bearer {token}"}
    mirror, _ = start_mirror(**SERVED)
    path = repo.resolve("model.bin", repo.commit)
    first = mirror.request("HEAD", path, member)
    assert first.status == 200 and first.header("X-Xet-Hash")
    again = [mirror.request("HEAD", path, member) for _ in range(10)]
    assert len(hub.requests) == 1
    for answer in again:
        for name in ("X-Xet-Hash", "X-Repo-Commit", "ETag", "X-Linked-Etag", "X-Linked-Size", "Content-Length", "Link"):
            assert answer.header(name) == first.header(name), name
        assert answer.header("X-Hawker-Audience") is None and answer.cache_status["hit"]
    mirror.name = "mirror.example:8090"
    assert "http://mirror.example:8090/" in mirror.request("HEAD", path, member).header("Link"), "each client's own name"
    assert mirror.head(path).status == 401
    before = len(hub.requests)
    assert mirror.request("HEAD", repo.resolve("model.bin"), member).status == 200
    assert len(hub.requests) > before, "a branch moves"
    for name, status in {"config.json": 200, "missing.json": 404}.items():
        answers_of = [mirror.request("HEAD", repo.resolve(name, repo.commit), member) for _ in range(2)]
        before = len(hub.origin.requests)
        answers_of += [mirror.request("HEAD", repo.resolve(name, repo.commit), member) for _ in range(5)]
        assert [answer.status for answer in answers_of] == [status] * 7
        assert len(hub.origin.requests) == before, name


def test_ten_workers_hear_once_where_a_file_is_in_xet(start_mirror, hub):
    token = plant("hf_token_of_a_member")
    repo = hub.repo("org/private", FILES, token=token)
    answers_now = threading.Event()
    hub.resource(repo.resolve("model.bin", repo.commit)).fault(answers.late_head(answers_now))
    for revision, questions in (("main", 2), (repo.commit, 1)):
        path = repo.resolve("model.bin", revision)
        answers_now.clear()
        mirror, hawker = start_mirror(**SERVED)
        before = len(hub.requests)
        for answer in at_the_same_time(hawker, lambda: mirror.head(path, Authorization=f"Bearer {token}"), answers_now):  # noqa: B023
            assert (answer.status, answer.header("X-Repo-Commit")) == (200, repo.commit) and answer.header("X-Xet-Hash")
        assert len(hub.requests) - before == questions


def test_where_xet_is_served_the_hub_says_no_once(start_mirror, hub):
    repo = hub.repo("org/private", FILES, token=plant("hf_token_of_a_member"))
    mirror, _ = start_mirror(**SERVED)
    for asked, revision in enumerate(("main", repo.commit), start=1):
        answer = mirror.head(repo.resolve("model.bin", revision))
        assert (answer.status, answer.header("X-Error-Code")) == (401, "RepoNotFound")
        assert len(hub.requests) == asked


def test_where_xet_is_served_a_hub_that_fails_is_not_asked_about_every_file(start_mirror, hub, repo):
    hub.down = True
    second = SmallHub(Origin(), Origin())
    second.repo("org/model", FILES)
    mirror, _ = start_mirror(second.origin.url(""), **SERVED)
    began = time.monotonic()
    for _ in range(5):
        assert mirror.head(repo.resolve("model.bin")).header("X-Xet-Hash") == repo.xet_hash("model.bin", WEIGHTS)
    assert len(hub.requests) <= 1 + int(time.monotonic() - began), "it rests for a second, and for longer after that"
    second.origin.close()
    second.cdn.close()


def test_a_token_is_asked_for_once_by_all_who_show_the_same(start_mirror, hub, repo, mint):
    route = f"{repo.at}/xet-read-token/{repo.commit}"
    answers_now = threading.Event()
    mint(route).fault(answers.late_head(answers_now))
    mirror, hawker = start_mirror(**SERVED)
    one, other = ({"Authorization": f"Bearer {plant(name)}"} for name in ("hf_token_of_one", "hf_token_of_another"))
    given = {told(answer)["accessToken"] for answer in at_the_same_time(hawker, lambda: mirror.request("GET", route, one), answers_now)}
    given.add(told(mirror.request("GET", route, one))["accessToken"])
    assert len(given) == 1 and len(hub.requests) == 1
    assert told(mirror.request("GET", route, other))["accessToken"] not in given


def test_a_token_that_ends_soon_is_not_given_to_others(start_mirror, hub, repo, mint):
    route = f"{repo.at}/xet-read-token/{repo.commit}"
    mint(route, life=60)
    mirror, _ = start_mirror(**SERVED)
    assert len({told(mirror.get(route))["accessToken"] for _ in range(2)}) == 2
    mint(f"{repo.at}/xet-write-token/main")
    assert len({told(mirror.get(f"{repo.at}/xet-write-token/main"))["accessToken"] for _ in range(2)}) == 2


def test_of_many_workers_at_a_private_repository_one_goes_first(start_mirror, hub):
    paths = [f"config-{number}.json" for number in range(8)]
    token = plant("hf_token_of_a_member")
    repo = hub.repo("org/private", {path: Text(path.encode()) for path in paths}, token=token)
    answers_now = threading.Event()
    for path in paths:
        hub.resource(repo.resolve(path, repo.commit)).fault(answers.late_head(answers_now))
    mirror, hawker = start_mirror()
    member = {"Authorization": f"Bearer {token}"}
    for listing in (f"{repo.at}/revision/main", f"{repo.at}/tree/{repo.commit}?recursive=true"):
        assert mirror.request("GET", listing, member).status == 200
    with concurrent.futures.ThreadPoolExecutor(len(paths)) as workers:
        asked = [workers.submit(mirror.request, "GET", repo.resolve(path, repo.commit), member) for path in paths]
        eventually(lambda: hawker.metrics()["hawker_access_waiting"] == len(paths) - 1, "all others wait for one")
        answers_now.set()
        assert [each.result().body for each in asked] == [path.encode() for path in paths]
    assert len(hub.requests) <= len(paths) + 3, hub.requests


# What clients are told ----------------------------------------------------------------------------------------------------


def test_who_knows_from_before_where_a_file_is_gets_a_token_for_it(start_mirror, hub, repo, mint):
    """Its tree was listed by the Hub itself, or by a mirror that served Xet: it has no other way to the file."""
    route = f"{repo.at}/xet-read-token/{repo.commit}"
    mint(route)
    mirror, _ = start_mirror(**HOSTS)
    answer = mirror.get(route)
    assert answer.header("X-Xet-Cas-Url") == told(answer)["casUrl"] == f"{mirror.url}/xet/https/cas.hub.test"
    assert answer.header("X-Xet-Access-Token") == told(answer)["accessToken"]


def test_files_of_one_branch_are_of_one_commit(start_mirror, hub, repo):
    mirror, _ = start_mirror(ref_ttl="1h", **SERVED)
    first = repo.commit
    assert mirror.head(repo.resolve("config.json")).header("X-Repo-Commit") == first
    repo.move_to("2" * 40)
    answer = mirror.head(repo.resolve("model.bin"))
    assert answer.header("X-Xet-Hash") and answer.header("X-Repo-Commit") == first
    before = len(hub.requests)
    assert mirror.head(repo.resolve("model.bin")).header("X-Repo-Commit") == first
    assert len(hub.requests) == before, "what a branch is, is known for ref_ttl"


def test_a_repository_that_has_another_name_by_now_is_in_xet_all_the_same(start_mirror, hub, repo):
    for commit in ("main", repo.commit):
        to = {"Location": repo.resolve("model.bin", commit)}
        hub.origin.add_handler(f"/gpt2/resolve/{commit}/model.bin", lambda _, answer, to=to: answer.become(307, to))
    hub.origin.add_handler("/api/models/gpt2/revision/main",
                           lambda _, answer: answer.become(307, {"Location": f"{repo.at}/revision/main"}))
    mirror, _ = start_mirror(**SERVED)
    for commit in ("main", repo.commit):
        answer = mirror.head(f"/gpt2/resolve/{commit}/model.bin")
        assert (answer.status, answer.header("X-Xet-Hash")) == (200, repo.xet_hash("model.bin", WEIGHTS))


@pytest.mark.parametrize("how", [HOSTS, SERVED], ids=["without", "with"])
def test_what_is_in_a_bucket_is_told_with_its_way(start_mirror, hub, how):
    route = "/api/buckets/org/pail/xet-read-token"
    plan = "https://cas.hub.test/v1/reconstructions/" + "a" * 64
    fields = {"X-Xet-Hash": "a" * 64, "X-Linked-Size": "10", "X-Xet-Refresh-Route": hub.origin.url(route),
              "Link": f'<{hub.origin.url(route)}>; rel="xet-auth", <{plan}>; rel="xet-reconstruction-info"',
              "Location": hub.cdn.url("/data.bin")}
    hub.origin.add_handler("/buckets/org/pail/resolve/data.bin", lambda _, answer: answer.become(302, fields))
    mirror, _ = start_mirror(**how)
    answer = mirror.head("/buckets/org/pail/resolve/data.bin")
    assert (answer.header("X-Xet-Hash"), answer.header("X-Linked-Size")) == ("a" * 64, "10")
    assert answer.header("X-Xet-Refresh-Route") == mirror.url + route
    assert answer.header("Link") == (f'<{mirror.url}{route}>; rel="xet-auth", '
                                     f'<{mirror.url}/xet/{plan.replace("://", "/")}>; rel="xet-reconstruction-info"')

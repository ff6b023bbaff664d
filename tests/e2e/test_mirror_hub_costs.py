"""`kind: huggingface`: what it costs the Hub and the CDN; one content is fetched and stored once."""

import concurrent.futures
import json
import threading

import pytest

from harness import origin_answer as answers
from harness.content import KIB, MIB, Content, Text
from harness.hub_listings import git_oid
from harness.hub_mirror import CONFIG, FILES, WEIGHTS, at_the_same_time, hub, repo, start_mirror, stored  # noqa: F401: some are fixtures
from harness.origin import Origin
from harness.secrets import plant
from harness.waiting import eventually


def test_a_cold_download_costs_the_hub_one_request_a_file_and_one_for_the_branch(start_mirror, hub, repo):
    mirror, hawker = start_mirror()
    assert mirror.get(f"{repo.at}/revision/main").status == 200
    assert mirror.get(f"{repo.at}/tree/{repo.commit}?recursive=true").status == 200
    for path in FILES:
        head = mirror.head(repo.resolve(path))
        assert (head.status, head.header("X-Repo-Commit")) == (200, repo.commit)
        stored(hawker, mirror.get(repo.resolve(path)))
    assert len(hub.requests) == len(FILES) + 2, hub.requests
    assert mirror.head(repo.resolve("config.json")).header("ETag") == f'"{git_oid(Text(CONFIG))}"'


def test_without_a_listing_a_small_file_costs_the_hub_its_own_redirect_too(start_mirror, hub, repo):
    mirror, hawker = start_mirror()
    for path in FILES:
        assert mirror.head(repo.resolve(path)).status == 200
        stored(hawker, mirror.get(repo.resolve(path)))
    assert len(hub.requests) == 1 + 2 + 1, "the branch, the small file, the large one"


def test_a_warm_download_of_a_commit_costs_the_hub_nothing(start_mirror, hub, repo):
    mirror, hawker = start_mirror()
    for path in FILES:
        stored(hawker, mirror.get(repo.resolve(path)))
    mirror.get(f"{repo.at}/tree/{repo.commit}")
    before = len(hub.requests)
    for path in FILES:
        assert mirror.head(repo.resolve(path, repo.commit)).status == 200
        assert mirror.get(repo.resolve(path, repo.commit)).status == 200
    assert mirror.get(f"{repo.at}/tree/{repo.commit}").cache_status["hit"]
    assert len(hub.requests) == before


def test_ten_workers_cost_what_one_costs(start_mirror, hub, repo):
    mirror, _ = start_mirror()
    with concurrent.futures.ThreadPoolExecutor(10) as workers:
        bodies = list(workers.map(lambda _: mirror.get(repo.resolve("model.bin")).body, range(10)))
    assert bodies == [WEIGHTS.bytes()] * 10
    assert len(hub.requests) == 2, hub.requests
    assert hub.cdn.bytes_sent <= 1.01 * WEIGHTS.size


def test_workers_with_a_file_each_ask_once_whether_they_may_read_the_repository(start_mirror, hub):
    paths = [f"part-{number}.bin" for number in range(8)]
    first, second = plant("hf_token_of_who_was_here_before"), plant("hf_token_of_who_comes_now")
    repo = hub.repo("org/private", {path: Content(300 * KIB + number) for number, path in enumerate(paths)}, token=first)
    mirror, hawker = start_mirror()
    for path in paths:
        stored(hawker, mirror.get(repo.resolve(path, repo.commit), Authorization=f"Bearer {first}"))
    repo.token = second
    answers_now = threading.Event()
    for path in paths:
        hub.resource(repo.resolve(path, repo.commit)).fault(answers.late_head(answers_now))

    def read_all_as(token):
        answers_now.clear()
        before = len(hub.requests)
        with concurrent.futures.ThreadPoolExecutor(len(paths)) as workers:
            asked = [workers.submit(mirror.get, repo.resolve(path, repo.commit), Authorization=f"Bearer {token}") for path in paths]
            eventually(lambda: hawker.metrics()["hawker_access_waiting"] == len(paths) - 1, "all others wait for one")
            assert len(hub.requests) - before <= 1
            answers_now.set()
            return [each.result().status for each in asked], len(hub.requests) - before

    assert read_all_as(plant("hf_token_of_a_stranger")) == ([401] * 8, 8), "a no may be of one file alone"
    assert read_all_as(second) == ([200] * 8, 1)


def test_ten_workers_do_not_wait_for_each_other_where_a_login_page_answers(start_mirror, hub, repo):
    answers_now = threading.Event()
    config = repo.resolve("config.json", repo.commit)
    page = lambda request, answer: answer.become(200, {"Content-Type": "text/html"}, b"<html>who are you?")  # noqa: E731
    resource = hub.resource(config)
    resource.handler = page
    resource.fault(answers.late_head(answers_now))
    mirror, hawker = start_mirror()
    with concurrent.futures.ThreadPoolExecutor(10) as workers:
        asked = [workers.submit(mirror.get, config) for _ in range(10)]
        eventually(lambda: hawker.metrics()["hawker_access_waiting"] == 9, "nine wait for the tenth")
        eventually(lambda: len(resource.requests) == 1, "the tenth has asked")
        resource.heal()
        together = threading.Barrier(9)

        def all_at_once(request, answer):
            together.wait(30)
            page(request, answer)

        resource.handler = all_at_once
        answers_now.set()
        assert {each.result().body for each in asked} == {b"<html>who are you?"}


SERVED = {"xet": "serve", "xet_hosts": ["cas.hub.test"]}


@pytest.mark.parametrize("xet", [{}, SERVED], ids=["without Xet", "with Xet"])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_ten_workers_hear_once_that_a_file_is_not_there(start_mirror, hub, repo, method, xet):
    answers_now = threading.Event()
    missing = repo.resolve("missing.json", repo.commit)
    hub.resource(missing).fault(answers.late_head(answers_now))
    mirror, hawker = start_mirror(**xet)
    for answer in at_the_same_time(hawker, lambda: mirror.request(method, missing), answers_now):
        assert (answer.status, answer.header("X-Error-Code")) == (404, "EntryNotFound")
        assert answer.header("X-Repo-Commit") == repo.commit and answer.complete
    assert len(hub.asked("missing.json")) == 1


def test_ten_workers_hear_once_that_the_hub_is_busy_and_others_ask_for_themselves(start_mirror, hub, repo):
    answers_now = threading.Event()
    config = repo.resolve("config.json", repo.commit)
    anonymous = lambda request: request.header("Authorization") is None  # noqa: E731
    hub.resource(config).fault(answers.late_head(answers_now), when=anonymous)
    hub.resource(config).fault(answers.status(429, Retry_After="55"), when=anonymous)
    mirror, hawker = start_mirror()
    for answer in at_the_same_time(hawker, lambda: mirror.get(config), answers_now):
        assert (answer.status, answer.header("Retry-After"), answer.text) == (429, "55", "the origin's own words")
    assert len(hub.asked("config.json")) == 1
    assert mirror.get(config, Authorization="Bearer hf_another").status == 200


def test_parts_of_a_large_file_come_from_where_the_first_one_was_led(start_mirror, hub):
    large = Content(40 * MIB)
    repo = hub.repo("org/large", {"large.bin": large})
    mirror, _ = start_mirror(hawker_options={"fetch.connections": 4})
    assert mirror.get(repo.resolve("large.bin")).body == large.bytes()
    assert len(hub.requests) == 2, "one for the branch, one for the file"
    assert len(hub.cdn.requests) > 1


def test_who_asks_only_about_a_file_does_not_fetch_it(start_mirror, hub):
    large = Content(200 * MIB)
    repo = hub.repo("org/large", {f"{number}.bin": large for number in range(3)})
    mirror, hawker = start_mirror()
    for number in range(3):
        assert mirror.head(repo.resolve(f"{number}.bin")).header("X-Linked-Size") == str(large.size)
    hawker.wait_until_idle()
    assert hub.cdn.bytes_sent <= 3 * 5 * MIB, "a piece of each"
    assert len(hub.requests) == 3 + 1


def test_the_hub_is_asked_the_way_once_for_all_that_a_client_asks_of_a_file(start_mirror, hub):
    large = Content(40 * MIB)
    token = plant("hf_token_of_a_member")
    repo = hub.repo("org/large", {"large.bin": large}, token=token)
    member = {"Authorization": f"Bearer {token}"}
    mirror, hawker = start_mirror()
    path = repo.resolve("large.bin")
    mirror.request("HEAD", path, member)
    hawker.wait_until_idle()
    for first in (30 * MIB, 12 * MIB):
        part = mirror.request("GET", path, {**member, "Range": f"bytes={first}-{first + 99}"})
        assert part.body == large.bytes(first, first + 100)
        hawker.wait_until_idle()
    assert mirror.request("GET", path, member).body == large.bytes()
    assert len(hub.requests) == 2, "one for the branch, one for the file"
    assert all(each.header("Authorization") is None for each in hub.cdn.requests)


def test_who_may_not_read_gains_nothing_by_a_way_that_another_was_led(start_mirror, hub):
    large = Content(40 * MIB)
    token = plant("hf_token_of_a_member")
    repo = hub.repo("org/large", {"large.bin": large}, token=token)
    mirror, hawker = start_mirror()
    path = repo.resolve("large.bin", repo.commit)
    assert mirror.request("HEAD", path, {"Authorization": f"Bearer {token}"}).status == 200
    for headers in ({}, {"Authorization": f"Bearer {plant('hf_of_a_stranger')}"}):
        for method in ("HEAD", "GET"):
            assert mirror.request(method, path, headers).status == 401


def test_a_way_that_has_ended_is_asked_for_again(start_mirror, hub):
    large = Content(40 * MIB)
    repo = hub.repo("org/large", {"large.bin": large})
    mirror, hawker = start_mirror(hawker_options={"fetch.connections": 1})
    assert mirror.head(repo.resolve("large.bin")).status == 200
    hawker.wait_until_idle()
    for request in hub.cdn.requests:
        hub.cdn.signer.revoke(request.query)
    assert mirror.get(repo.resolve("large.bin")).body == large.bytes()
    assert len(hub.requests) == 3, "the branch, the file, and the way to it again"


def test_where_a_way_ends_in_the_middle_it_is_asked_for_once_by_all_parts(start_mirror, hub):
    large = Content(96 * MIB)
    repo = hub.repo("org/large", {"large.bin": large})
    mirror, hawker = start_mirror(hawker_options={"fetch.connections": 8})
    place = hub.cdn.resources[repo.place_of("large.bin", large)]
    go_on = threading.Event()
    assert mirror.head(repo.resolve("large.bin")).status == 200
    hawker.wait_until_idle()
    for request in hub.cdn.requests:
        hub.cdn.signer.revoke(request.query)
    led = hub.resource(repo.resolve("large.bin", repo.commit)).fault(answers.late_head(go_on))
    with concurrent.futures.ThreadPoolExecutor(1) as worker:
        got = worker.submit(mirror.get, repo.resolve("large.bin"))
        eventually(lambda: len(led.requests) == 2, "the way is asked for again")
        go_on.set()
        assert got.result().sha256 == large.sha256()
    assert len(place.requests) > 4
    assert len(hub.requests) == 3, "the branch, the file, and the way to it again"


def test_the_same_content_elsewhere_is_linked_and_not_fetched_again(start_mirror, hub):
    large = Content(64 * MIB)
    repo = hub.repo("org/large", {"model.bin": large})
    fork = hub.repo("somebody/fork", {"model.bin": large}, type="datasets", commit="2" * 40)
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.resolve("model.bin")))
    before = hub.cdn.bytes_sent
    again = mirror.get(fork.resolve("model.bin"))
    assert again.body == large.bytes() and again.header("X-Repo-Commit") == fork.commit
    repo.move_to("3" * 40)
    moved = mirror.get(repo.resolve("model.bin", repo.commit))
    assert moved.body == large.bytes() and moved.header("X-Repo-Commit") == "3" * 40
    assert hub.cdn.bytes_sent - before < large.size / 4, "what was under way when it was recognised"


LARGE = Content(64 * MIB)


@pytest.mark.parametrize("storage", ["xet", "lfs"])
@pytest.mark.parametrize("other_way", ["the CDN through the proxy", "another repository", "another revision", "Git LFS",
                                       "the mirror after the CDN", "the CDN after Git LFS"])
def test_one_content_is_fetched_and_stored_once_whichever_way_it_is_reached(start_mirror, hub, other_way, storage):
    repo = hub.repo("org/large", {"model.bin": LARGE}, storage=storage)
    mirror, hawker = start_mirror()
    at_cdn = repo.place_of("model.bin", LARGE)
    fork = hub.repo("somebody/fork", {"elsewhere.bin": LARGE}, type="datasets", commit="2" * 40, storage=storage)
    repo.ref("v2", "3" * 40)

    def by_lfs():
        question = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": LARGE.sha256(), "size": LARGE.size}]}
        answer = mirror.request("POST", f"{repo.web}.git/info/lfs/objects/batch", {"Content-Type": "application/vnd.git-lfs+json"},
                                json.dumps(question).encode())
        href = json.loads(answer.body)["objects"][0]["actions"]["download"]["href"]
        return mirror.get(href.removeprefix(mirror.url))

    by_mirror = lambda: mirror.get(repo.resolve("model.bin"))
    by_proxy = lambda: hawker.fetch(hub.cdn.signed_url(at_cdn))
    first, second = {
        "the CDN through the proxy": (by_mirror, by_proxy), "the mirror after the CDN": (by_proxy, by_mirror),
        "the CDN after Git LFS": (by_lfs, by_proxy),
        "another repository": (by_mirror, lambda: mirror.get(fork.resolve("elsewhere.bin"))),
        "another revision": (by_mirror, lambda: mirror.get(repo.resolve("model.bin", "v2"))), "Git LFS": (by_mirror, by_lfs),
    }[other_way]
    assert stored(hawker, first()).body == LARGE.bytes()
    before, used = hub.cdn.bytes_sent, hawker.disk_used()
    again = second()
    assert again.body == LARGE.bytes()
    hawker.wait_until_idle()
    assert hub.cdn.bytes_sent - before < LARGE.size / 4, "what was under way when it was recognised"
    eventually(lambda: hawker.disk_used() - used < LARGE.size / 4, "one copy on the disk")


def at_the_bridge(hub, repo):
    return hub.cdn.signed_url(repo.place_of("model.bin", LARGE))


def test_what_the_hub_said_of_a_place_outlives_a_restart(start_mirror, hub):
    repo = hub.repo("org/large", {"model.bin": LARGE})
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.resolve("model.bin")))
    hawker.wait_until_idle()
    hawker.stop()
    hawker.restart()
    before = hub.cdn.bytes_sent
    assert hawker.fetch(at_the_bridge(hub, repo)).body == LARGE.bytes()
    assert hub.cdn.bytes_sent - before < LARGE.size / 4


def test_who_knows_what_lies_at_a_place_reads_it_only_with_the_places_own_yes(start_mirror, hub):
    repo = hub.repo("org/large", {"model.bin": LARGE})
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.resolve("model.bin")))
    url = at_the_bridge(hub, repo)
    hub.cdn.signer.revoke(url.partition("?")[2])
    assert hawker.fetch(url).status == 403
    assert hawker.fetch(url.partition("?")[0]).status == 403


def test_neither_a_client_nor_another_server_says_what_lies_at_a_place(start_mirror, hub):
    repo = hub.repo("org/large", {"model.bin": LARGE})
    other = Content(LARGE.size, seed=9)
    theirs = hub.repo("somebody/else", {"model.bin": other}, commit="2" * 40)
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(theirs.resolve("model.bin")))
    claim = {"X-Linked-Etag": f'"{other.sha256()}"', "X-Linked-Size": str(other.size), "X-Repo-Commit": "2" * 40}

    def claims(request, answer):
        answer.become(302, {**claim, "Location": at_the_bridge(hub, repo)}, b"")

    hub.cdn.add_handler("/follow/claim", claims)
    hub.cdn.add_handler("/claim", claims)
    for path in ("/follow/claim", "/claim"):
        hawker.fetch(hub.cdn.url(path), headers=claim)
    assert hawker.fetch(at_the_bridge(hub, repo), headers=claim).body == LARGE.bytes()


def test_a_place_of_which_the_upstream_said_something_wrong_is_not_lost(start_mirror, hub):
    repo = hub.repo("org/large", {"model.bin": LARGE})
    said = repo.redirect_fields
    repo.redirect_fields = lambda *of: {**said(*of), "X-Linked-Etag": f'"{"f" * 64}"'}
    mirror, hawker = start_mirror()
    first = mirror.get(repo.resolve("model.bin"))
    assert first.status != 200 or not first.complete
    once = hawker.fetch(at_the_bridge(hub, repo))
    assert once.status != 200 or not once.complete or once.body == LARGE.bytes()
    assert hawker.fetch(at_the_bridge(hub, repo)).body == LARGE.bytes()

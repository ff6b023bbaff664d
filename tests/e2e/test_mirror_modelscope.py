"""`kind: modelscope`: what its clients see, what it costs ModelScope, and who may read."""

import concurrent.futures
import json

import pytest

from harness import origin_answer as answers
from harness.content import MIB, Content
from harness.mirror_client import MirrorClient, restarted, stored
from harness.modelscope_mirror import CONFIG, FILES, ODD, WEIGHTS, scope, start_mirror  # noqa: F401: some are fixtures
from harness.secrets import plant
from harness.small_modelscope import COMMIT, place_of
from harness.waiting import eventually


@pytest.fixture
def repo(scope):
    return scope.repo("org/model", FILES)


# Git LFS -----------------------------------------------------------------------------------------------------------------


def test_git_clones_with_its_lfs_objects_through_the_mirror(start_hawker, lfs_server, git):
    lfs_server.create({"weights.bin": WEIGHTS})
    hawker = start_hawker({"mirrors": [{"listen": "127.0.0.1:0", "kind": "modelscope", "upstreams": [lfs_server.base]}]})
    repo = f"{MirrorClient(hawker.mirrors[0]).url}/team/models.git"
    for _ in range(2):
        assert (git.clone(repo) / "weights.bin").read_bytes() == WEIGHTS.bytes()
    # Every link is signed anew, and is for the same object.
    assert lfs_server.storage.bytes_sent <= 1.01 * WEIGHTS.size
    for resource in lfs_server.storage.resources.values():
        resource.fault(answers.status(403))
    assert (git.clone(repo) / "weights.bin").read_bytes() == WEIGHTS.bytes(), "who holds a link was let in by the host"


# What a client sees -------------------------------------------------------------------------------------------------------


def test_a_large_file_is_answered_where_it_was_asked_for(start_mirror, repo):
    mirror, _ = start_mirror()
    for answer in (mirror.head(repo.file("model.bin")), mirror.get(repo.file("model.bin"))):
        assert answer.status == 200
        assert answer.header("ETag") == answer.header("X-Linked-Etag") == f'"{WEIGHTS.sha256()}"'
        assert answer.header("Content-Length") == str(WEIGHTS.size)
        for gone in ("Location", "Set-Cookie", "X-Hawker-Audience"):
            assert answer.header(gone) is None, gone
    assert answer.body == WEIGHTS.bytes()


@pytest.mark.parametrize("path", ["config.json", ODD])
def test_a_small_file_has_a_length_and_ranges_that_its_origin_has_not(start_mirror, repo, path):
    mirror, hawker = start_mirror()
    answer = stored(hawker, mirror.get(repo.file(path)))
    assert (answer.status, answer.body) == (200, FILES[path])
    part = mirror.get(repo.file(path), Range="bytes=1-2")
    assert (part.status, part.body) == (206, FILES[path][1:3])
    assert part.header("Content-Range") == f"bytes 1-2/{len(FILES[path])}"
    assert part.cache_status["hit"]


@pytest.mark.parametrize("asked, got", [("bytes=0-0", (0, 1)), ("bytes=-5", (WEIGHTS.size - 5, WEIGHTS.size)),
                                        (f"bytes=1000000-{WEIGHTS.size}", (1000000, WEIGHTS.size))])
def test_ranges_are_answered_on_the_url_that_was_asked(start_mirror, repo, asked, got):
    mirror, _ = start_mirror()
    answer = mirror.get(repo.file("model.bin"), Range=asked)
    assert answer.status == 206 and answer.body == WEIGHTS.bytes(*got)
    assert answer.header("Content-Range") == f"bytes {got[0]}-{got[1] - 1}/{WEIGHTS.size}"


def test_the_address_for_browsers_is_the_same_file(start_mirror, scope, repo):
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.file("model.bin")))
    answer = mirror.get(repo.web("model.bin"))
    assert answer.body == WEIGHTS.bytes() and answer.cache_status["hit"]
    assert scope.cdn.bytes_sent <= 1.01 * WEIGHTS.size


def test_a_listing_is_what_modelscope_said(start_mirror, repo):
    mirror, _ = start_mirror()
    answer = mirror.get(repo.listing())
    assert answer.header("Content-Type").startswith("application/json") and answer.header("Set-Cookie") is None
    named = {file["Path"]: file["Sha256"] for file in json.loads(answer.body)["Data"]["Files"]}
    assert set(named) == set(FILES) and named["model.bin"] == WEIGHTS.sha256()


@pytest.mark.parametrize("no_status", [404, 200])
def test_a_missing_file_is_what_modelscope_said(start_mirror, scope, repo, no_status):
    scope.no_status = no_status
    mirror, hawker = start_mirror()
    for target in (repo.file("missing.json"), repo.file("config.json", "nowhere")):
        for _ in range(2):
            answer = mirror.get(target)
            assert answer.status == no_status and json.loads(answer.body)["Success"] is False
    assert hawker.tasks() == [] or all("missing" not in str(task) for task in hawker.tasks())


def test_other_requests_are_passed_on(start_mirror, scope, repo):
    scope.origin.add_handler("/api/v1/login", lambda request, answer: answer.become(
        200, {"Set-Cookie": "m_session_id=mine", "Location": scope.origin.url("/elsewhere")}, b"{}"))
    mirror, _ = start_mirror()
    answer = mirror.request("POST", "/api/v1/login", {"Cookie": "csrf=1"}, body=b'{"AccessToken": "x"}')
    assert (answer.status, answer.header("Set-Cookie")) == (200, "m_session_id=mine")
    assert answer.header("Location") == f"{mirror.url}/elsewhere"
    assert scope.requests[-1].header("Cookie") == "csrf=1"


# What it costs ------------------------------------------------------------------------------------------------------------


def test_a_cold_download_costs_one_request_a_file_and_one_listing(start_mirror, scope, repo):
    mirror, hawker = start_mirror()
    mirror.get(repo.listing())
    for path in FILES:
        stored(hawker, mirror.get(repo.file(path)))
    assert len(scope.requests) == len(FILES) + 1, scope.requests


def test_a_warm_download_of_a_commit_costs_nothing(start_mirror, scope, repo):
    mirror, hawker = start_mirror(ref_ttl="1ms")
    for _ in range(2):
        before = len(scope.requests)
        mirror.get(repo.listing(COMMIT))
        for path in FILES:
            assert stored(hawker, mirror.get(repo.file(path, COMMIT))).status == 200
    assert len(scope.requests) == before


def test_ten_workers_cost_what_one_costs(start_mirror, scope, repo):
    mirror, _ = start_mirror()
    with concurrent.futures.ThreadPoolExecutor(10) as workers:
        bodies = list(workers.map(lambda _: mirror.get(repo.file("model.bin")).body, range(10)))
    assert bodies == [WEIGHTS.bytes()] * 10
    assert len(scope.asked_for("/repo/files")) == 1
    assert scope.cdn.bytes_sent <= 1.01 * WEIGHTS.size


def test_one_content_is_stored_once_across_repositories(start_mirror, scope, repo):
    fork = scope.repo("other/fork", {"pytorch_model.bin": WEIGHTS}, type="datasets")
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.file("model.bin")))
    sent = scope.cdn.bytes_sent
    assert mirror.get(fork.file("pytorch_model.bin")).body == WEIGHTS.bytes()
    assert scope.cdn.bytes_sent <= sent + 1  # the question whether the fork may be read


def test_a_branch_that_moved_is_another_file_after_ref_ttl(start_mirror, repo):
    mirror, hawker = start_mirror(ref_ttl="1ms")
    stored(hawker, mirror.get(repo.file("model.bin")))
    newer = Content(2 * MIB, seed=7)
    repo.push({"model.bin": newer}, commit="2" * 40)
    assert mirror.get(repo.file("model.bin")).body == newer.bytes()
    assert mirror.get(repo.file("model.bin", COMMIT)).body == WEIGHTS.bytes()


def test_a_push_behind_a_fresh_listing_is_no_lasting_error(start_mirror, scope, repo):
    mirror, _ = start_mirror()  # ref_ttl is a minute
    mirror.get(repo.listing())
    newer = Content(WEIGHTS.size, seed=7)  # only the digest tells
    repo.push({"model.bin": newer}, commit="2" * 40)
    first = mirror.get(repo.file("model.bin"))
    assert first.status == 502 or first.body != newer.bytes()
    eventually(lambda: mirror.get(repo.file("model.bin")).body == newer.bytes(), "the new listing")


def test_what_does_not_hash_to_what_the_listing_says_is_not_served(start_mirror, scope, repo):
    scope.cdn.add(place_of(WEIGHTS), Content(WEIGHTS.size, seed=9), signed=True)
    mirror, hawker = start_mirror()
    answer = mirror.get(repo.file("model.bin", COMMIT))
    assert answer.status == 502 or len(answer.body) < WEIGHTS.size
    hawker.log_line("does not match its SHA-256")


@pytest.mark.parametrize("fault", [answers.truncated(after=1 * MIB), answers.reset(after=1 * MIB), answers.no_answer()])
def test_a_store_that_fails_once_is_nothing_that_a_client_notices(start_mirror, scope, repo, fault):
    scope.cdn.resources[place_of(WEIGHTS)].fault(fault, times=1)
    mirror, _ = start_mirror()
    assert mirror.get(repo.file("model.bin"), Range="bytes=0-").body == WEIGHTS.bytes()


@pytest.mark.parametrize("listing", [b"", b"<html>log in</html>", b'{"Data": {"Files": 7}}', b"[" * 200000,
                                     b'{"Code": 200, "Data": {"Files": [{"Path": "config.json", "Type": "blob"}]}}'],
                         ids=["empty", "html", "number", "deep", "without-digest"])
def test_where_no_listing_names_a_file_it_is_passed_on(start_mirror, scope, repo, listing):
    repo.answer(f"{repo.at}/repo/files",
                lambda request, answer: answer.become(200, {"Content-Type": "application/json"}, listing))
    mirror, _ = start_mirror()
    for _ in range(2):
        answer = mirror.get(repo.file("config.json"))
        assert (answer.status, answer.body) == (200, CONFIG) and not answer.cache_status.get("hit")


def test_a_folder_that_no_listing_reaches_is_asked_for_by_itself(start_mirror, scope):
    many = {f"a/{number:04}.txt": b"%d" % number for number in range(250)} | {"z/model.bin": WEIGHTS}
    repo = scope.repo("org/many", many, type="datasets")
    mirror, hawker = start_mirror()
    for path in ("z/model.bin", "a/0249.txt"):
        stored(hawker, mirror.get(repo.file(path)))
        assert mirror.get(repo.file(path)).cache_status["hit"], path


# Who may read -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("no_status", [403, 200])
@pytest.mark.parametrize("shown", ["Authorization", "Cookie"])
def test_only_who_modelscope_lets_in_reads_a_private_repository(start_mirror, scope, shown, no_status):
    token = plant("modelscope-CANARY-token")
    scope.no_status = no_status
    repo = scope.repo("org/private", FILES, token=token)
    mirror, hawker = start_mirror()
    owner = {shown: f"Bearer {token}" if shown == "Authorization" else f"m_session_id={token}"}
    stranger = {shown: owner[shown].replace("CANARY", "CANARY-of-nobody")}
    for path in FILES:
        assert stored(hawker, mirror.request("GET", repo.file(path), owner)).status == 200
        assert mirror.request("GET", repo.file(path), owner).cache_status["hit"]
    for headers in (stranger, {}):
        for target in (repo.file("model.bin"), repo.file("config.json"), repo.listing()):
            answer = mirror.request("GET", target, headers)
            assert answer.status == no_status and json.loads(answer.body)["Success"] is False, target
    assert all(each.header("Authorization") is None and each.header("Cookie") is None for each in scope.cdn.requests)


def test_what_a_repositorys_page_shows_opens_none_of_its_files(start_mirror, scope):
    token = plant("modelscope-CANARY-of-one-who-agreed")
    repo = scope.repo("org/gated", {**FILES, "README.md": b"# Agree first"}, token=token)
    repo.shown = ("README.md", "/repo/files")
    mirror, hawker = start_mirror()
    assert stored(hawker, mirror.request("GET", repo.file("model.bin"), {"Authorization": f"Bearer {token}"})).status == 200
    assert mirror.get(repo.file("README.md")).body == b"# Agree first"
    assert mirror.get(repo.file("model.bin")).status == 403
    assert mirror.get(repo.file("README.md")).status == 200


def test_the_mirrors_own_token_stands_in_for_clients_without_one(start_mirror, scope):
    token = plant("modelscope-own-CANARY")
    repo = scope.repo("org/private", FILES, token=token)
    mirror, _ = start_mirror(token=token)
    assert mirror.request("GET", repo.file("model.bin"), {"Cookie": "m_session_id=another"}).status == 403
    assert mirror.get(repo.file("model.bin")).body == WEIGHTS.bytes()
    assert all(each.header("Cookie") in (f"m_session_id={token}", "m_session_id=another") for each in scope.requests)
    assert all(each.header("Cookie") is None for each in scope.cdn.requests)


def test_the_servers_cookies_go_up_no_further(start_mirror, scope, repo):
    mirror, _ = start_mirror()
    mirror.request("GET", repo.file("config.json"), {"Cookie": "acw_tc=1; m_session_id=mine; b=2"})
    assert {each.header("Cookie") for each in scope.requests} == {"m_session_id=mine"}


# When nobody can be asked -------------------------------------------------------------------------------------------------


def test_while_modelscope_is_down_what_is_here_is_served_and_says_so(start_mirror, scope, repo):
    mirror, hawker = start_mirror(ref_ttl="1ms")
    for path in FILES:
        stored(hawker, mirror.get(repo.file(path)))
    scope.down = True
    for path in FILES:
        answer = mirror.get(repo.file(path))
        assert answer.status == 200 and answer.header("Warning").startswith("110 hawker")
    assert mirror.get(repo.file("missing.json")).status == 404
    listing = mirror.get(repo.listing())
    assert listing.status == 200 and listing.cache_status["detail"] == "stale"


def test_offline_serves_what_is_here_and_says_what_is_missing(start_mirror, scope, repo):
    token = plant("modelscope-offline-CANARY")
    private = scope.repo("org/private", FILES, token=token)
    mirror, hawker = start_mirror()
    for path in ("config.json", "model.bin"):
        stored(hawker, mirror.get(repo.file(path)))
    stored(hawker, mirror.request("GET", private.file("model.bin"), {"Authorization": f"Bearer {token}"}))
    before = len(scope.requests)
    mirror = restarted(hawker, offline=True)
    assert mirror.get(repo.file("model.bin")).body == WEIGHTS.bytes()
    assert mirror.get(repo.file("config.json")).body == CONFIG
    not_here = mirror.get(repo.file(ODD))
    assert not_here.status == 504 and b"not in its cache" in not_here.body
    assert mirror.get(repo.file("missing.json")).status == 404
    assert mirror.get(private.file("model.bin")).status == 403
    assert mirror.get("/api/v1/models/org/unknown/revisions").status == 504
    mirror = restarted(hawker, offline_access=["127.0.0.0/8"])
    assert mirror.get(private.file("model.bin")).body == WEIGHTS.bytes()
    assert len(scope.requests) == before


def test_a_second_upstream_stands_in(start_mirror, scope, repo):
    mirror, hawker = start_mirror()
    mirror = restarted(hawker, upstreams=["http://127.0.0.1:1", scope.origin.url("")])
    assert mirror.get(repo.file("model.bin")).body == WEIGHTS.bytes()


def test_keys_that_it_has_no_use_for_are_refused(start_hawker):
    for key, value in {"xet": "serve", "xet_hosts": ["*.hf.co"]}.items():
        with pytest.raises(AssertionError, match="has no Xet"):
            start_hawker({"mirrors": [{"listen": "127.0.0.1:0", "kind": "modelscope", key: value}]})

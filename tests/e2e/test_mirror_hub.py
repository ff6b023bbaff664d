"""`kind: huggingface`: what its clients see."""

import json

import pytest

from harness import origin_answer as answers
from harness.content import Content
from harness.hub_mirror import CONFIG, FILES, WEIGHTS, hub, repo, restarted, start_mirror, stored  # noqa: F401: some are fixtures
from harness.mirror_client import MirrorClient
from harness.small_hub import git_oid


def test_a_large_file_is_answered_where_it_was_asked_for(start_mirror, repo):
    mirror, _ = start_mirror()
    for answer in (mirror.head(repo.resolve("model.bin")), mirror.get(repo.resolve("model.bin"))):
        assert answer.status == 200
        assert answer.header("X-Repo-Commit") == repo.commit
        assert answer.header("ETag") == answer.header("X-Linked-Etag") == f'"{WEIGHTS.sha256()}"'
        assert answer.header("X-Linked-Size") == answer.header("Content-Length") == str(WEIGHTS.size)
        assert answer.header("Accept-Ranges") == "bytes"
        for gone in ("Location", "X-Xet-Hash", "Link", "X-Hawker-Audience", "Set-Cookie"):
            assert answer.header(gone) is None, gone
    assert answer.body == WEIGHTS.bytes()


def test_a_small_file_has_its_git_object_for_a_tag(start_mirror, repo):
    mirror, _ = start_mirror()
    answer = mirror.get(repo.resolve("config.json"))
    assert (answer.status, answer.body) == (200, CONFIG)
    assert answer.header("ETag") == f'"{git_oid(repo.files["config.json"])}"'
    assert answer.header("X-Linked-Etag") is None


def test_what_the_hub_said_to_the_first_client_alone_is_not_said_to_the_next(start_mirror, hub, repo):
    alone = {"RateLimit": '"resolvers";r=2999;t=240', "RateLimit-Policy": '"fixed window";"resolvers";q=3000;w=300',
             "X-Request-Id": "Root=1-first", "X-Amzn-Trace-Id": "Root=1-first", "Expires": "Thu, 01 Jan 2026 00:00:00 GMT"}
    mirror, hawker = start_mirror()
    for path in FILES:
        for resource in [*hub.origin.resources.values(), *hub.cdn.resources.values()]:
            resource.headers = {**resource.headers, **alone}
        stored(hawker, mirror.get(repo.resolve(path)))
        again = mirror.get(repo.resolve(path))
        assert again.status == 200 and not [name for name in alone if again.header(name)]


@pytest.mark.parametrize("asked, got", [("bytes=0-0", (0, 1)), ("bytes=-5", (WEIGHTS.size - 5, WEIGHTS.size)),
                                        (f"bytes=100-{WEIGHTS.size}", (100, WEIGHTS.size))])
def test_ranges_are_answered_on_the_url_that_was_asked(start_mirror, repo, asked, got):
    mirror, _ = start_mirror()
    answer = mirror.get(repo.resolve("model.bin"), Range=asked)
    assert answer.status == 206 and answer.body == WEIGHTS.bytes(*got)
    assert answer.header("Content-Range") == f"bytes {got[0]}-{got[1] - 1}/{WEIGHTS.size}"
    assert answer.header("X-Repo-Commit") == repo.commit


def test_a_range_beyond_the_end_is_a_416(start_mirror, repo):
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.resolve("model.bin")))
    answer = mirror.get(repo.resolve("model.bin"), Range=f"bytes={WEIGHTS.size}-")
    assert (answer.status, answer.header("Content-Range")) == (416, f"bytes */{WEIGHTS.size}")


def test_a_branch_is_asked_for_again_when_its_time_is_over(start_mirror, hub, repo):
    mirror, _ = start_mirror(ref_ttl="0s")
    assert mirror.head(repo.resolve("config.json")).header("X-Repo-Commit") == "1" * 40
    repo.move_to("2" * 40)
    assert mirror.head(repo.resolve("config.json")).header("X-Repo-Commit") == "2" * 40


def test_within_ref_ttl_a_branch_stays_what_it_was(start_mirror, hub, repo):
    mirror, _ = start_mirror(ref_ttl="1h")
    mirror.head(repo.resolve("config.json"))
    repo.move_to("2" * 40)
    assert mirror.head(repo.resolve("config.json")).header("X-Repo-Commit") == "1" * 40


def test_while_the_hub_is_down_a_branch_is_what_it_was_last_and_says_so(start_mirror, hub, repo):
    mirror, hawker = start_mirror(ref_ttl="0s")
    stored(hawker, mirror.get(repo.resolve("model.bin")))
    hub.down = True
    answer = mirror.get(repo.resolve("model.bin"))
    assert (answer.status, answer.body) == (200, WEIGHTS.bytes())
    assert answer.header("Warning").startswith("110 ")
    info = mirror.get(repo.at + "/revision/main")
    assert info.status == 200 and info.header("Warning").startswith("110 ")
    assert info.cache_status["detail"] == "stale"


def test_what_is_not_there_is_said_as_the_hub_says_it(start_mirror, hub, repo):
    mirror, _ = start_mirror()
    for answer in (mirror.head(repo.resolve("missing.json")), mirror.get(repo.resolve("missing.json"))):
        assert (answer.status, answer.header("X-Error-Code")) == (404, "EntryNotFound")
        assert answer.header("X-Repo-Commit") == repo.commit
    missing = [each for each in hub.requests if "missing.json" in each.path]
    assert len(missing) == 1, "under a commit it stays so"
    answer = mirror.get(repo.resolve("config.json", "nowhere"))
    assert (answer.status, answer.header("X-Error-Code")) == (404, "RevisionNotFound")


def test_a_listing_leads_to_us_and_not_to_xet(start_mirror, hub, repo):
    hub.page = 1
    mirror, _ = start_mirror()
    mirror.name = "mirror.example:8090"
    tree = mirror.get(f"{repo.at}/tree/{repo.commit}?recursive=true")
    assert tree.header("Link").startswith(f"<http://mirror.example:8090{repo.at}/tree/{repo.commit}?recursive=true&cursor=")
    following = tree.header("Link").removeprefix("<http://mirror.example:8090").partition(">")[0]
    second = mirror.get(following)
    assert [entry["path"] for page in (tree, second) for entry in json.loads(page.body)] == sorted(FILES)
    assert b"xetHash" not in tree.body + second.body and b'"lfs"' in second.body


def test_a_link_that_names_the_hub_leads_to_us_whoever_the_upstream_is(start_mirror, hub, repo):
    hub.page, hub.calls_itself = 1, "https://huggingface.co"
    mirror, _ = start_mirror()
    tree = mirror.get(f"{repo.at}/tree/main/?recursive=true")
    assert tree.header("Link").startswith(f"<{mirror.url}{repo.at}/tree/"), "else the client leaves us"
    following = tree.header("Link").removeprefix(f"<{mirror.url}").partition(">")[0]
    second = mirror.get(following)
    assert b"model.bin" in second.body and b"xetHash" not in tree.body + second.body


def test_a_listing_of_a_branch_is_the_one_of_its_commit(start_mirror, hub, repo):
    hub.page = 1
    mirror, hawker = start_mirror()
    first = mirror.get(f"{repo.at}/tree/main?recursive=true&expand=false")
    following = first.header("Link").removeprefix(f"<{mirror.url}").partition(">")[0]
    assert f"/tree/{repo.commit}?" in following, "a commit's next page stays a commit's, whatever becomes of the branch"
    before = len(hub.requests)
    again = mirror.get(f"{repo.at}/tree/{repo.commit}?recursive=true&expand=false")
    assert again.body == first.body and again.cache_status["hit"]
    nothing = f"{repo.at}/tree/main/no-such-folder?recursive=false&expand=false"
    for _ in range(2):
        assert mirror.get(nothing).header("X-Error-Code") == "EntryNotFound"
    assert len(hub.requests) == before + 1
    asked = mirror.get(f"{repo.at}/tree/main?recursive=true&expand=true")
    assert b"lastCommit" in asked.body and f"{repo.at}/tree/main?" in hub.requests[-1].target, "this moves under a commit too"
    hub.down = True
    assert mirror.get(nothing).header("X-Error-Code") == "EntryNotFound"


def test_a_question_about_paths_is_a_post_whatever_it_calls_itself(start_mirror, hub, repo):
    mirror, _ = start_mirror()
    path = f"{repo.at}/paths-info/{repo.commit}"
    for fields in ({"Content-Type": "application/x-www-form-urlencoded"}, {}):
        for body in (b"paths=model.bin", b""):
            answer = mirror.request("POST", path, fields, body)
            assert [each["path"] for each in json.loads(answer.body)] == (["model.bin"] if body else [])
            asked = hub.requests[-1]
            assert (asked.method, asked.header("Content-Length")) == ("POST", str(len(body)))
            assert asked.header("Content-Type") == fields.get("Content-Type")


def test_a_busy_hub_is_passed_on_with_its_words_and_not_kept(start_mirror, hub, repo):
    words = {"Retry_After": "55", "RateLimit": '"api";r=0;t=55', "RateLimit_Policy": '"fixed window";"api";q=500;w=300'}
    hub.resource(f"{repo.at}/revision/main").fault(answers.status(429, **words), times=1)
    mirror, _ = start_mirror()
    busy = mirror.get(repo.resolve("config.json"))
    assert (busy.status, busy.header("Retry-After"), busy.header("RateLimit")) == (429, "55", words["RateLimit"])
    assert mirror.get(repo.resolve("config.json")).status == 200


def test_bytes_that_are_not_what_the_hub_promised_reach_nobody(start_mirror, hub, repo):
    for resource in hub.cdn.resources.values():
        resource.fault(answers.wrong_bytes())
    mirror, hawker = start_mirror()
    first = mirror.get(repo.resolve("model.bin"))
    assert first.status != 200 or not first.complete
    assert not any(task["complete"] for task in hawker.tasks() if task["size"] == WEIGHTS.size)


def test_a_page_that_is_no_hubs_answer_is_not_kept(start_mirror, hub, repo, other_origin):
    hub.origin.add(repo.resolve("model.bin", repo.commit), Content(1000), content_type="text/html")
    mirror, hawker = start_mirror()
    mirror.get(repo.resolve("model.bin", repo.commit))
    assert not hawker.tasks()


@pytest.mark.parametrize("place", ["revision/main", f"tree/{'1' * 40}"])
def test_a_page_of_a_login_is_no_listing_and_no_yes(start_mirror, hub, repo, place):
    path = f"{repo.at}/{place}"
    hub.resource(path).fault(answers.html_page())
    mirror, _ = start_mirror(ref_ttl="1h")
    refused = mirror.get(path, Authorization="Bearer hf_of_nobody")
    assert refused.status == 502 and "does not answer as the Hub" in refused.text
    hub.resource(path).heal()
    listed = mirror.get(path)
    assert (listed.status, listed.header("Content-Type")) == (200, "application/json; charset=utf-8")
    assert not listed.cache_status.get("hit")


def test_when_the_first_hub_is_down_the_second_has_the_same_files(start_mirror, hub, repo, origin):
    mirror, hawker = start_mirror()
    stored(hawker, mirror.get(repo.resolve("model.bin")))
    hawker.options["mirrors"][0]["upstreams"] = ["http://127.0.0.1:9", hub.origin.url("")]
    mirror = restarted(hawker)
    assert mirror.get(repo.resolve("config.json")).body == CONFIG


# Git LFS -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def lfs_mirror(start_hawker, lfs_server):
    lfs_server.create({"weights.bin": WEIGHTS})
    mirror = {"listen": "127.0.0.1:0", "kind": "huggingface", "upstreams": [lfs_server.base]}
    hawker = start_hawker({"mirrors": [mirror]})
    return MirrorClient(hawker.mirrors[0])


def test_git_clones_with_its_lfs_objects_through_the_mirror(lfs_mirror, lfs_server, git):
    repo = f"{lfs_mirror.url}/team/models.git"
    assert (git.clone(repo) / "weights.bin").read_bytes() == WEIGHTS.bytes()
    before = lfs_server.storage.bytes_sent
    assert before <= 1.01 * WEIGHTS.size
    assert (git.clone(repo) / "weights.bin").read_bytes() == WEIGHTS.bytes()
    assert lfs_server.storage.bytes_sent == before, "every link is signed anew, and is for the same object"


def ask_batch(mirror):
    question = {"operation": "download", "transfers": ["basic"],
                "objects": [{"oid": WEIGHTS.sha256(), "size": WEIGHTS.size}]}
    answer = mirror.request("POST", "/team/models.git/info/lfs/objects/batch",
                            {"Content-Type": "application/vnd.git-lfs+json"}, json.dumps(question).encode())
    return json.loads(answer.body)["objects"][0]["actions"]["download"]["href"].removeprefix(mirror.url)


def test_a_link_of_an_lfs_object_is_for_that_object_alone(lfs_mirror):
    link = ask_batch(lfs_mirror)
    assert lfs_mirror.get(link).body == WEIGHTS.bytes()
    assert lfs_mirror.head(link).header("Content-Length") == str(WEIGHTS.size)
    assert lfs_mirror.get(link, Range="bytes=5-9").body == WEIGHTS.bytes(5, 10)
    place, _, href = link.rpartition("/")
    for other in (f"{place}/{'A' * len(href)}", link.replace(WEIGHTS.sha256(), "0" * 64),
                  link.replace(f"/{WEIGHTS.size}/", "/1/"), "/.hawker/lfs/x"):
        refused = lfs_mirror.get(other)
        assert refused.status == 403 and "batch API" in refused.text, other


def test_an_lfs_object_that_is_not_what_its_name_says_reaches_nobody(lfs_mirror, lfs_server):
    for resource in lfs_server.storage.resources.values():
        resource.fault(answers.wrong_bytes())
    answer = lfs_mirror.get(ask_batch(lfs_mirror))
    assert answer.status != 200 or not answer.complete

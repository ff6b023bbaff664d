"""`kind: registry`: what clients of OCI registries see, and what it costs the registry."""

import json
import threading

import pytest

from harness import origin_answer as answers, raw
from harness.content import KIB, MIB, Content
from harness.crowd import Crowd, all_at_once
from harness.mirror_client import MirrorClient
from harness.oci_image import ACCEPT, INDEX, Image, Index
from harness.small_registry import pull
from harness.waiting import eventually

IMAGE = Image([Content(5 * MIB), Content(40 * KIB, seed=2)])
OTHER = Image([Content(1 * MIB, seed=3)])
LAYER = next(digest for digest, blob in IMAGE.blobs.items() if blob.size > MIB)


@pytest.fixture
def start_mirror(start_registry_mirror, registry):
    return lambda *more, **keys: start_registry_mirror(registry.origin.url(""), *more, **keys)


# What is served, and what it costs ------------------------------------------------------------------------------------------


def test_a_cold_pull_costs_one_request_for_each_thing_and_a_warm_one_none(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, hawker = start_mirror()
    pull(mirror, repo, hawker=hawker)
    assert len(registry.requests) == 1 + len(IMAGE.blobs), registry.requests
    assert registry.store.bytes_sent == IMAGE.size
    pull(mirror, repo)
    assert len(registry.requests) == 1 + len(IMAGE.blobs), "the tag within ref_ttl, the rest for ever"
    assert registry.store.bytes_sent == IMAGE.size


def test_a_blob_is_answered_where_it_was_asked_for(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, hawker = start_mirror()
    got = mirror.get(repo.blob(LAYER))
    assert got.header("Docker-Content-Digest") == LAYER and got.header("ETag") == f'"{LAYER}"'
    for gone in ("Location", "X-Hawker-Audience", "Set-Cookie"):
        assert got.header(gone) is None
    hawker.wait_until_stored(got)
    data = IMAGE.blobs[LAYER].data
    resumed = mirror.get(repo.blob(LAYER), Range=f"bytes={len(data) - 1000}-")
    assert (resumed.status, resumed.body) == (206, data[-1000:])
    assert mirror.get(repo.blob(LAYER.replace(":", "%3A")), Range="bytes=10-19").body == data[10:20]
    head = mirror.head(repo.blob(LAYER))
    assert (head.status, head.header("Content-Length")) == (200, str(len(data)))
    assert registry.store.bytes_sent == len(data)


def test_a_range_of_what_is_not_here_resumes_from_its_byte(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, _ = start_mirror()
    data = IMAGE.blobs[LAYER].data
    resumed = mirror.get(repo.blob(LAYER), Range=f"bytes={len(data) - 1000}-")
    assert (resumed.status, resumed.body) == (206, data[-1000:])


def test_head_of_a_blob_that_is_in_a_store_is_answered_here(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, _ = start_mirror()
    head = mirror.head(repo.blob(LAYER))
    assert (head.status, head.header("Content-Length"), head.body) == (200, str(IMAGE.blobs[LAYER].size), b"")
    assert head.header("Location") is None and head.header("Docker-Content-Digest") == LAYER
    assert (len(registry.requests), registry.store.bytes_sent) == (1, 0), "nothing of it is fetched"


def test_a_store_whose_links_are_for_a_get_alone_says_no_for_nobody(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, _ = start_mirror()

    def refuse_head(answer):
        if answer.request.method == "HEAD":
            answer.become(403, {}, b"SignatureDoesNotMatch")

    repo.stored(LAYER).fault(refuse_head)
    head = mirror.head(repo.blob(LAYER))
    assert (head.status, head.header("Content-Length")) == (200, str(IMAGE.blobs[LAYER].size))
    assert mirror.get(repo.blob(LAYER)).status == 200


def test_asking_whether_a_blob_is_there_fetches_nothing(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, _ = start_mirror()
    registry.origin.add_handler(repo.blob("sha256:" + "0" * 64), lambda request, answer: answer.become(404, {}, b"{}"))
    assert mirror.head(repo.blob("sha256:" + "0" * 64)).status == 404

    def here(request, answer):
        answer.become(200, {"Content-Length": str(IMAGE.blobs[LAYER].size), "Docker-Content-Digest": LAYER})

    registry.origin.add_handler(repo.blob(LAYER), here)
    head = mirror.head(repo.blob(LAYER))
    assert (head.status, head.header("Content-Length")) == (200, str(IMAGE.blobs[LAYER].size))
    assert {request.method for request in registry.requests} == {"HEAD"}
    assert registry.store.bytes_sent == 0


def test_an_index_leads_to_the_image_of_each_platform(start_mirror, registry):
    index = Index([IMAGE, Image([Content(300 * KIB, seed=9)], architecture="arm64")])
    repo = registry.repo("team/multi", index)
    mirror, hawker = start_mirror()
    pull(mirror, repo, hawker=hawker)
    assert mirror.get(repo.manifest(), Accept=ACCEPT).header("Content-Type") == INDEX
    before = len(registry.requests)
    pull(mirror, repo)
    assert len(registry.requests) == before


def test_an_answer_to_a_tag_is_for_who_accepts_the_same(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, _ = start_mirror()
    mirror.get(repo.manifest(), Accept="application/a, application/b")
    mirror.get(repo.manifest(), Accept="application/b,application/a")
    assert len(registry.requests) == 1
    mirror.get(repo.manifest(), Accept="application/a")
    assert len(registry.requests) == 2
    assert registry.requests[-1].header("Accept") == "application/a"


def test_a_moved_tag_is_noticed_after_ref_ttl_and_asked_for_by_head(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, _ = start_mirror(ref_ttl="1ms")
    assert mirror.get(repo.manifest(), Accept=ACCEPT).body == IMAGE.data
    eventually(lambda: mirror.get(repo.manifest(), Accept=ACCEPT).body == IMAGE.data and len(registry.requests) > 1)
    assert [request.method for request in registry.requests][:2] == ["GET", "HEAD"], "what has not moved is not sent again"
    repo.push(OTHER)
    moved = eventually(lambda: (got := mirror.get(repo.manifest(), Accept=ACCEPT)).body != IMAGE.data and got)
    assert (moved.body, moved.header("Docker-Content-Digest")) == (OTHER.data, OTHER.digest)
    assert [request.method for request in registry.requests][-2:] == ["HEAD", "GET"]


def test_a_tag_stays_what_it_was_within_ref_ttl(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, _ = start_mirror(ref_ttl="1h")
    mirror.get(repo.manifest(), Accept=ACCEPT)
    repo.push(OTHER)
    assert mirror.get(repo.manifest(), Accept=ACCEPT).body == IMAGE.data
    assert mirror.get(repo.manifest(OTHER.digest), Accept=ACCEPT).body == OTHER.data


def test_ten_clients_at_once_cost_what_one_costs(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    mirror, _ = start_mirror()
    go_on = threading.Event()
    registry.origin.resources[repo.manifest()].fault(answers.late_head(go_on))
    crowd = Crowd()
    for _ in range(10):
        crowd.start(mirror.get, repo.manifest(), Accept=ACCEPT)
    eventually(lambda: registry.requests)
    go_on.set()
    assert all(each.body == IMAGE.data for each in crowd.join())
    assert all(each.body == IMAGE.blobs[LAYER].data for each in all_at_once(10, lambda _: mirror.get(repo.blob(LAYER))))
    assert len(registry.origin.resources[repo.manifest()].requests) == 1
    assert registry.store.bytes_sent <= IMAGE.blobs[LAYER].size + 10, "one byte for each to ask"


def test_one_blob_is_stored_once_whatever_repository_and_registry_it_is_in(start_hawker, registry, second_registry):
    repos = [registry.repo("team/app", IMAGE), registry.repo("team/copy", IMAGE), second_registry.repo("else/where", IMAGE)]
    hawker = start_hawker({"mirrors": [{"listen": "127.0.0.1:0", "kind": "registry", "upstreams": [each.origin.url("")]}
                                       for each in (registry, second_registry)]})
    mirrors = [MirrorClient(url) for url in hawker.mirrors]
    for mirror, repo in zip((mirrors[0], *mirrors), repos):
        got = mirror.get(repo.blob(LAYER))
        assert got.body == IMAGE.blobs[LAYER].data
        hawker.wait_until_stored(got)
    assert registry.store.bytes_sent <= IMAGE.blobs[LAYER].size + 2, "one byte for each repository to ask"
    assert len([task for task in hawker.tasks() if task["size"] == IMAGE.blobs[LAYER].size]) == 1


def test_listings_are_passed_with_their_pages_in_our_name(start_mirror, registry):
    repo = registry.repo("team/app", IMAGE)
    page = registry.origin.url("/v2/_catalog", "last=b&n=1")
    registry.origin.add_handler("/v2/_catalog", lambda request, answer: answer.become(
        200, {"Content-Type": "application/json", "Link": f'<{page}>; rel="next"'}, b'{"repositories": ["team/app"]}'))
    registry.origin.add_handler(f"{repo.at}/referrers/{IMAGE.digest}", lambda request, answer: answer.become(
        200, {"Content-Type": INDEX, "OCI-Filters-Applied": "artifactType"}, b'{"schemaVersion": 2, "manifests": []}'))
    mirror, _ = start_mirror()
    for path, field, value in (("/v2/_catalog?n=1", "Link", f'<{mirror.url}/v2/_catalog?last=b&n=1>; rel="next"'),
                               (f"{repo.at}/tags/list", "Link", f'<{repo.at}/tags/list?last=latest&n=1>; rel="next"'),
                               (f"{repo.at}/referrers/{IMAGE.digest}?artifactType=x", "OCI-Filters-Applied", "artifactType")):
        first, again = mirror.get(path), mirror.get(path)
        assert first.status == again.status == 200 and first.header(field) == again.header(field) == value
        assert again.cache_status["hit"]
    assert json.loads(mirror.get(f"{repo.at}/tags/list").body)["tags"] == ["latest"]


# What is wrong ----------------------------------------------------------------------------------------------------------------


def test_a_corrupt_blob_is_never_whole_and_never_kept(start_mirror, registry):
    repo = registry.repo("open/app", IMAGE)
    mirror, hawker = start_mirror()
    repo.stored(LAYER).fault(answers.wrong_bytes(), times=2)
    for _ in range(2):
        spoilt = mirror.get(repo.blob(LAYER))
        assert not spoilt.complete or spoilt.status >= 400
        assert len(spoilt.body) < IMAGE.blobs[LAYER].size
    assert not [task for task in hawker.tasks() if task.get("complete")]
    eventually(lambda: mirror.get(repo.blob(LAYER)).body == IMAGE.blobs[LAYER].data, "the right bytes")


@pytest.mark.parametrize("reference", ["latest", IMAGE.digest])
def test_a_manifest_that_is_not_what_its_digest_says_is_refused(start_mirror, registry, reference):
    repo = registry.repo("open/app", IMAGE)
    mirror, hawker = start_mirror()

    def wrong(answer):
        answer.become(200, answer.headers, OTHER.data)

    registry.origin.resources[repo.manifest(reference)].fault(wrong, times=1)
    refused = mirror.get(repo.manifest(reference), Accept=ACCEPT)
    assert refused.status == 502 and OTHER.data not in refused.body
    assert not hawker.tasks()
    eventually(lambda: mirror.get(repo.manifest(reference), Accept=ACCEPT).body == IMAGE.data, "the right one")


def test_a_login_page_is_no_manifest(start_mirror, registry):
    registry.origin.add_handler("/v2/open/app/manifests/latest", lambda request, answer: answer.become(
        200, {"Content-Type": "text/html"}, b"<html>please log in</html>"))
    mirror, hawker = start_mirror()
    assert mirror.get("/v2/open/app/manifests/latest", Accept=ACCEPT).status == 502
    assert not hawker.tasks()


def test_a_client_that_leaves_in_the_middle_of_a_blob_costs_the_next_one_nothing(start_mirror, registry):
    repo = registry.repo("open/app", IMAGE)
    mirror, _ = start_mirror()
    go_on = threading.Event()
    repo.stored(LAYER).fault(answers.stalled(1 * MIB, go_on), times=1)
    with raw.Connection(mirror.address) as connection:
        connection.request("GET", repo.blob(LAYER), {"Host": mirror.host})
        connection.read_some(100 * KIB)
    go_on.set()
    assert mirror.get(repo.blob(LAYER)).body == IMAGE.blobs[LAYER].data
    assert registry.store.bytes_sent <= IMAGE.blobs[LAYER].size + 1


def test_the_next_upstream_stands_in_for_one_that_fails(start_mirror, registry, second_registry):
    repo = registry.repo("open/app", IMAGE)
    second_registry.repo("open/app", IMAGE)
    mirror, _ = start_mirror(second_registry.origin.url(""))
    registry.down = True
    pull(mirror, repo)
    assert len(second_registry.requests) >= 1 + len(IMAGE.blobs)


# Names ------------------------------------------------------------------------------------------------------------------------


def test_ns_is_taken_out_and_another_registry_is_not_answered_for(start_mirror, registry):
    repo = registry.repo("open/app", IMAGE)
    mirror, _ = start_mirror(namespaces=["docker.io"])
    pull(mirror, repo, query=f"?ns={registry.origin.host}")
    pull(mirror, repo, query="?ns=docker.io")
    assert not any("ns=" in request.query for request in registry.requests)
    refused = mirror.get(repo.manifest() + "?ns=quay.io", Accept=ACCEPT)
    [error] = json.loads(refused.body)["errors"]
    assert (refused.status, error["code"], error["detail"]) == (404, "NAME_UNKNOWN", {"said_by": "hawker"})
    assert "'quay.io' to 'namespaces'" in error["message"]

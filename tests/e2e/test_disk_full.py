"""A disk that is too small, or fails, is our trouble and never a client's."""

import os
import urllib.error

import pytest

from harness import small_disk
from harness.content import KIB, MIB, Content
from harness.crowd import all_at_once
from harness.waiting import eventually

pytestmark = pytest.mark.skipif(not small_disk.possible(), reason="needs to mount a tmpfs")


@pytest.fixture
def cramped(start_hawker, tmp_path):
    """A daemon whose cache is on a disk of 24 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    return start_hawker({"cache.directory": str(disk), "cache.min_free": "0", "cache.map_size": "64MiB"},
                        wrapper=small_disk.wrapper(disk, "24m"))


def assert_whole(answer, resource):
    assert (answer.status, answer.complete, answer.sha256) == (200, True, resource.content.sha256())


def test_an_object_larger_than_the_disk_arrives_whole(cramped, origin):
    blob = origin.add("/shared/model", Content(100 * MIB))
    for _ in range(2):
        assert_whole(cramped.fetch(origin.url("/shared/model"), collect=False), blob)


def test_every_client_of_an_object_larger_than_the_disk_gets_every_byte(cramped, origin):
    blob = origin.add("/verify/model", Content(60 * MIB), signed=True)
    urls = [origin.signed_url("/verify/model") for _ in range(10)]
    for answer in all_at_once(10, lambda n: cramped.fetch(urls[n], collect=False)):
        assert_whole(answer, blob)


def test_ranges_of_an_object_larger_than_the_disk_are_right(cramped, origin):
    blob = origin.add("/shared/model", Content(60 * MIB))
    assert_whole(cramped.fetch(origin.url("/shared/model"), collect=False), blob)
    for start in (0, 30 * MIB, 60 * MIB - 100):
        part = cramped.fetch(origin.url("/shared/model"), headers={"Range": f"bytes={start}-{start + 99}"})
        assert (part.status, part.body) == (206, blob.content.bytes(start, start + 100))


def test_many_objects_pass_through_a_disk_that_holds_few(cramped, origin):
    blobs = [origin.add(f"/shared/model-{n}", Content(5 * MIB, seed=n)) for n in range(12)]
    for blob in blobs:
        assert_whole(cramped.fetch(origin.url(blob.path)), blob)
    for blob in blobs:
        assert_whole(cramped.fetch(origin.url(blob.path)), blob)


def test_small_objects_pass_through_a_full_index(cramped, origin):
    blobs = [origin.add(f"/shared/small-{n}", Content(60 * KIB, seed=n)) for n in range(500)]
    for blob in blobs:
        assert_whole(cramped.fetch(origin.url(blob.path)), blob)


def test_the_cache_works_again_when_there_is_room(cramped, origin):
    large = origin.add("/shared/large", Content(60 * MIB))
    assert_whole(cramped.fetch(origin.url("/shared/large"), collect=False), large)
    for task in cramped.tasks():
        try:
            cramped.get_admin(f"/tasks/{task['task']}", "DELETE")
        except urllib.error.HTTPError as refusal:
            assert refusal.code == 404  # it has left by itself meanwhile
    small = origin.add("/shared/small", Content(2 * MIB))

    def is_hit():
        answer = cramped.fetch(origin.url("/shared/small"))
        assert_whole(answer, small)
        return answer.cache_status.get("hit")

    eventually(is_hit, "a hit")


def test_an_object_above_max_size_arrives_whole(start_hawker, origin):
    hawker = start_hawker({"cache.max_size": "8MiB"})
    blob = origin.add("/shared/model", Content(40 * MIB))
    for _ in range(2):
        assert_whole(hawker.fetch(origin.url("/shared/model")), blob)


def test_max_size_is_kept_by_eviction(start_hawker, origin):
    hawker = start_hawker({"cache.max_size": "20MiB"})
    for number in range(10):
        blob = origin.add(f"/shared/model-{number}", Content(5 * MIB, seed=number))
        assert_whole(hawker.fetch(origin.url(blob.path)), blob)
    eventually(lambda: hawker.metrics()["hawker_cache_bytes"] <= 20 * MIB, "eviction", within=20)


def test_a_read_only_cache_is_refused_at_start_in_words(start_hawker, tmp_path):
    if os.geteuid() == 0:
        path = "/proc/hawker"
    else:
        (tmp_path / "locked").mkdir(mode=0o500)
        path = str(tmp_path / "locked" / "cache")
    with pytest.raises(AssertionError, match="ended with") as problem:
        start_hawker({"cache.directory": path})
    assert path in str(problem.value)

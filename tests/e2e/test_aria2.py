"""aria2c with sixteen connections: sixteen ranges of one object at the same time."""

import pytest

from harness.clients import run, sha256_of
from harness.content import MIB, Content


def download(folder, hawker, url, **options):
    run("aria2c", "--no-conf", "-q", "-x16", "-s16", "-k1M", "--all-proxy", hawker.proxy_url, "--no-proxy=", "-o", "out",
        "--allow-overwrite=true", "--auto-file-renaming=false", *options.get("more", ()), "-d", folder, url)
    return sha256_of(folder / "out")


def test_sixteen_connections_to_a_cold_object_cost_one_transfer(hawker, origin, tmp_path):
    blob = origin.add("/verify/model", Content(64 * MIB), signed=True)
    assert download(tmp_path, hawker, origin.signed_url("/verify/model")) == blob.content.sha256()
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_sixteen_connections_to_a_cached_object_cost_nothing(hawker, origin, tmp_path):
    blob = origin.add("/verify/model", Content(64 * MIB), signed=True)
    hawker.fetch_until_stored(origin.signed_url("/verify/model"), collect=False)
    before = blob.bytes_sent
    assert download(tmp_path, hawker, origin.signed_url("/verify/model")) == blob.content.sha256()
    assert blob.bytes_sent - before <= 32  # one byte for each question whether this signature may read


@pytest.mark.parametrize("size", [1, 1 * MIB - 1, 16 * MIB + 1])
def test_odd_sizes_arrive_whole(hawker, origin, tmp_path, size):
    blob = origin.add("/shared/model", Content(size))
    for _ in range(2):
        assert download(tmp_path, hawker, origin.url("/shared/model")) == blob.content.sha256()


def test_sixteen_connections_to_nginx(start_hawker, nginx, tmp_path):
    hawker = start_hawker(rules=[{"name": "nginx", "match": "^http://127", "key": {"strip": ["md5", "expires"]},
                                  "policy": "immutable", "access": "verify"}])
    content = Content(48 * MIB)
    nginx.add("/model.bin", content)
    for _ in range(2):
        assert download(tmp_path, hawker, nginx.signed_url("/model.bin")) == content.sha256()
    assert nginx.bytes_sent("/model.bin") <= 1.02 * content.size

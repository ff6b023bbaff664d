"""`kind: registry` with the real ones: skopeo in front, Debian's docker-registry behind."""

import pytest

from harness import docker_registry
from harness.clients import sha256_of
from harness.content import KIB, MIB, Content
from harness.daemon import REPOSITORY
from harness.docker_registry import DockerRegistry, Skopeo, TokenServer
from harness.oci_image import ACCEPT, Image, Index
from harness.passwords import Passwords
from harness.waiting import eventually

pytestmark = [pytest.mark.clients, pytest.mark.skipif(not docker_registry.are_installed(), reason="needs docker-registry and skopeo")]

ARM = Image([Content(200 * KIB, seed=7)], architecture="arm64")
AMD = Image([Content(3 * MIB, seed=5), Content(100 * KIB, seed=6)])
INDEX = Index([AMD, ARM])
NAME = "team/app"


@pytest.fixture
def skopeo(tmp_path):
    return Skopeo(tmp_path / "skopeo")


@pytest.fixture
def start_registry(tmp_path):
    running = []

    def start(**how):
        running.append(DockerRegistry(tmp_path / f"registry-{len(running)}", **how).start())
        return running[-1]

    yield start
    for registry in running:
        registry.stop()


@pytest.fixture
def start_mirror(start_registry_mirror):
    return lambda registry, **keys: start_registry_mirror(registry.url, **keys)


def assert_pulled(folder, image):
    assert (folder / "manifest.json").read_bytes() == image.data
    for digest, blob in image.blobs.items():
        name = digest.removeprefix("sha256:")
        assert sha256_of(folder / name) == name and (folder / name).stat().st_size == blob.size


def wait_until_all_is_here(hawker, image):
    for blob in image.blobs.values():
        hawker.log_line(rf"task done .*bytes={blob.size}\b|\"bytes\":{blob.size}\b")


def assert_sent_once(registry, image):
    """Its log may be a moment behind."""
    eventually(lambda: registry.blob_bytes() >= image.size, "the blobs in the registry's log")
    assert registry.blob_bytes() == image.size, registry.lines()


def test_skopeo_pulls_cold_warm_and_from_a_registry_that_is_gone(start_registry, start_mirror, skopeo, tmp_path):
    registry = start_registry()
    skopeo.copy(INDEX.write_layout(tmp_path / "layout"), registry.reference(NAME), "--all")
    mirror, hawker = start_mirror(registry, ref_ttl="1ms")
    reference = registry.reference(f"{NAME}:latest", mirror.host)
    assert_pulled(skopeo.pull(reference, "--override-arch=amd64", "--override-os=linux"), AMD)
    wait_until_all_is_here(hawker, AMD)
    assert_sent_once(registry, AMD)
    assert_pulled(skopeo.pull(reference, "--override-arch=amd64", "--override-os=linux"), AMD)
    assert_sent_once(registry, AMD)
    assert b"arm64" in skopeo.run("inspect", "--tls-verify=false", "--override-arch=arm64", "--override-os=linux", reference).stdout
    registry.stop()
    assert_pulled(skopeo.pull(reference, "--override-arch=amd64", "--override-os=linux"), AMD)
    registry.start()
    everything = skopeo.pull(reference, "--all")
    assert (everything / "manifest.json").read_bytes() == INDEX.data


def test_skopeo_finds_the_mirror_by_the_examples_registries_conf(start_registry, start_mirror, skopeo, tmp_path):
    registry = start_registry()
    skopeo.copy(AMD.write_layout(tmp_path / "layout"), registry.reference(NAME))
    mirror, hawker = start_mirror(registry)
    conf = tmp_path / "registries.conf"
    example = (REPOSITORY / "examples/podman/registries.conf").read_text()
    conf.write_text(example.replace('"docker.io"', '"registry.invalid"').replace("127.0.0.1:8092", mirror.host))
    for _ in range(2):
        assert_pulled(skopeo.pull(f"docker://registry.invalid/{NAME}", options=["--registries-conf", conf]), AMD)
        wait_until_all_is_here(hawker, AMD)
    assert_sent_once(registry, AMD)


def test_containerds_requests_are_answered_as_by_the_registry(start_registry, start_mirror, skopeo, tmp_path):
    registry = start_registry()
    skopeo.copy(AMD.write_layout(tmp_path / "layout"), registry.reference(NAME))
    mirror, hawker = start_mirror(registry, namespaces=["registry.example"])
    # containerd 1.7: core/remotes/docker, with `?ns=` because hosts.toml names another host than the image.
    head = mirror.head(f"/v2/{NAME}/manifests/latest?ns=registry.example", Accept=ACCEPT)
    assert (head.status, head.header("Docker-Content-Digest"), head.header("Content-Length")) == (200, AMD.digest, str(len(AMD.data)))
    manifest = mirror.get(f"/v2/{NAME}/manifests/{AMD.digest}?ns=registry.example", Accept=ACCEPT)
    assert (manifest.body, manifest.header("Content-Type")) == (AMD.data, AMD.media_type)
    for digest, blob in AMD.blobs.items():
        accept = "application/vnd.oci.image.layer.v1.tar+gzip, */*"
        got = mirror.get(f"/v2/{NAME}/blobs/{digest}?ns=registry.example", Accept=accept)
        assert (got.status, got.body) == (200, blob.data)
        hawker.wait_until_stored(got)
        # A pull that was interrupted goes on from its byte.
        rest = mirror.get(f"/v2/{NAME}/blobs/{digest}?ns=registry.example", Accept=accept, Range=f"bytes={blob.size // 2}-")
        assert (rest.status, rest.body) == (206, blob.data[blob.size // 2:])
    assert_sent_once(registry, AMD)
    assert not any("ns=" in target for _, target, _, _ in registry.lines())


def test_what_is_pushed_through_the_mirror_is_there_at_once(start_registry, start_mirror, skopeo, tmp_path):
    registry = start_registry()
    mirror, _ = start_mirror(registry, ref_ttl="1h")
    reference = registry.reference(f"{NAME}:latest", mirror.host)
    skopeo.copy(AMD.write_layout(tmp_path / "amd"), reference)
    assert_pulled(skopeo.pull(reference), AMD)
    tags = mirror.get(f"/v2/{NAME}/tags/list")
    assert b'"latest"' in tags.body
    skopeo.copy(ARM.write_layout(tmp_path / "arm"), reference)
    assert_pulled(skopeo.pull(reference), ARM)
    skopeo.copy(AMD.write_layout(tmp_path / "amd"), registry.reference(f"{NAME}:second", mirror.host))
    assert b'"second"' in mirror.get(f"/v2/{NAME}/tags/list").body, "a push tells of it"
    skopeo.run("delete", "--tls-verify=false", reference)
    assert skopeo.pull(reference, check=False) is None


def test_skopeo_with_a_password(start_registry, start_mirror, skopeo, tmp_path):
    passwords = Passwords(tmp_path, "owner", "other")
    registry = start_registry(htpasswd=passwords)
    owner = f"owner:{passwords.of['owner']}"
    skopeo.copy(AMD.write_layout(tmp_path / "layout"), registry.reference(NAME), "--dest-creds", owner)
    mirror, hawker = start_mirror(registry)
    reference = registry.reference(NAME, mirror.host)
    assert_pulled(skopeo.pull(reference, "--src-creds", owner), AMD)
    wait_until_all_is_here(hawker, AMD)
    assert skopeo.pull(reference, "--src-creds", "owner:wrong", check=False) is None
    assert skopeo.pull(reference, check=False) is None
    assert_pulled(skopeo.pull(reference, "--src-creds", f"other:{passwords.of['other']}"), AMD)
    assert registry.blob_bytes() <= AMD.size + len(AMD.blobs), "one byte for each to ask"
    # The registry is gone: who it has let in goes on reading, nobody else begins to.
    registry.stop()
    assert_pulled(skopeo.pull(reference, "--src-creds", owner), AMD)
    assert skopeo.pull(reference, "--src-creds", "stranger:guess", check=False) is None
    assert skopeo.pull(reference, check=False) is None


def test_skopeo_with_a_token_server(start_registry, start_mirror, skopeo, tmp_path, origin):
    passwords = Passwords(tmp_path, "owner")
    tokens = TokenServer(tmp_path / "tokens", origin, passwords)
    registry = start_registry(token_server=tokens)
    owner = f"owner:{passwords.of['owner']}"
    skopeo.copy(AMD.write_layout(tmp_path / "layout"), registry.reference(NAME), "--dest-creds", owner)
    mirror, hawker = start_mirror(registry)
    reference = registry.reference(NAME, mirror.host)
    given = tokens.given
    assert_pulled(skopeo.pull(reference, "--src-creds", owner), AMD)
    assert tokens.given > given, "the client follows the challenge by itself"
    wait_until_all_is_here(hawker, AMD)
    assert_sent_once(registry, AMD)
    before = registry.blob_bytes()
    assert_pulled(skopeo.pull(reference, "--src-creds", owner), AMD)
    assert registry.blob_bytes() - before <= len(AMD.blobs), "a new token is asked for, the bytes are here"
    assert skopeo.pull(reference, "--src-creds", "owner:wrong", check=False) is None
    assert skopeo.pull(reference, check=False) is None, "a token for nothing reads nothing"


def test_skopeo_says_that_a_corrupt_layer_is_none(start_registry, start_mirror, skopeo, tmp_path):
    registry = start_registry()
    skopeo.copy(ARM.write_layout(tmp_path / "layout"), registry.reference(NAME))
    [layer] = [digest for digest, blob in ARM.blobs.items() if blob.size > 100 * KIB]
    name = layer.removeprefix("sha256:")
    file = registry.folder / "data/docker/registry/v2/blobs/sha256" / name[:2] / name / "data"
    good = file.read_bytes()
    file.write_bytes(good[:1000] + bytes([good[1000] ^ 1]) + good[1001:])
    mirror, hawker = start_mirror(registry)
    reference = registry.reference(NAME, mirror.host)
    assert skopeo.pull(reference, check=False) is None
    assert not [task for task in hawker.tasks() if task["size"] == len(good) and task.get("complete")]
    file.write_bytes(good)
    assert_pulled(skopeo.pull(reference), ARM)

"""Requests that name no host, at a forward proxy's listener: they are for `registry_mirror`, or for a registry that they name and
`allow_registry_header` lists."""

import json

import pytest
import requests
from requests.adapters import HTTPAdapter

from harness import docker_registry
from harness.content import KIB, MIB, Content
from harness.docker_registry import DockerRegistry, Skopeo
from harness.mirror_client import MirrorClient
from harness.oci_image import ACCEPT, Image
from harness.rules import HOST, rule

IMAGE = Image([Content(2 * MIB)])
MODEL = Content(300 * KIB, seed=4)


def client_of(hawker):
    return MirrorClient(f"http://{hawker.proxy[0]}:{hawker.proxy[1]}")


def test_a_registry_that_is_not_listed_is_refused_with_the_option(start_hawker, registry):
    repo = registry.repo("open/app", IMAGE)
    for options in ({}, {"registry_mirror": "http://127.0.0.1:9"}, {"allow_registry_header": ["ghcr.io", "docker.io"]}):
        client = client_of(start_hawker(options))
        for refused, name, how in (
                (client.get(repo.manifest(), X_Dragonfly_Registry=registry.origin.url("")), registry.origin.url(""), "X-Dragonfly-Registry"),
                (client.get(f"{repo.manifest()}?ns={registry.origin.host}"), registry.origin.host, "the ns parameter")):
            assert refused.status == 403
            assert json.loads(refused.body)["errors"][0]["message"] == (
                f"Add '{name}' to 'allow_registry_header' of this proxy's configuration: {how} may name only registries that are "
                "listed there.")
        # What it would lead to is no way around either.
        assert client.get("/latest/meta-data/", X_Dragonfly_Registry="http://169.254.169.254").status == 403
        assert client.get("/x", X_Dragonfly_Registry="http://127.0.0.1:1@" + registry.origin.host).status == 400
    assert not registry.requests


@pytest.mark.parametrize("how", ["field", "ns"])
def test_a_listed_registry_is_mirrored(start_hawker, registry, how):
    repo = registry.repo("open/app", IMAGE)
    # `?ns=` says https, so for this one without TLS the list has the URL.
    hawker = start_hawker({"allow_registry_header": ["ghcr.io", registry.origin.url("")]}, rules=[])
    client = client_of(hawker)
    query, fields = (f"?ns={registry.origin.host}", {}) if how == "ns" else ("", {"X-Dragonfly-Registry": registry.origin.url("/")})

    def pull():
        assert client.head(repo.manifest() + query, Accept=ACCEPT, **fields).header("Docker-Content-Digest") == IMAGE.digest
        assert client.get(repo.manifest(IMAGE.digest) + query, Accept=ACCEPT, **fields).body == IMAGE.data
        for digest, blob in IMAGE.blobs.items():
            got = client.get(repo.blob(digest) + query, **fields)
            assert got.body == blob.data
            hawker.wait_until_stored(got)

    pull()
    before = len(registry.requests)
    pull()
    assert len(registry.requests) == before and registry.store.bytes_sent == IMAGE.size
    assert not any("ns=" in request.query for request in registry.requests)
    assert not any(request.header("X-Dragonfly-Registry") for request in registry.requests)
    assert client.get(repo.manifest()).status == 400, "who names none is for registry_mirror, and there is none"


def test_what_we_refuse_of_a_registry_is_said_as_a_registry_would(start_hawker, registry):
    repo = registry.repo("open/app", IMAGE)
    client = client_of(start_hawker({}))
    refused = client.get(f"{repo.manifest()}?ns={registry.origin.host}")
    [error] = json.loads(refused.body)["errors"]
    assert (refused.header("Content-Type"), error["code"]) == ("application/json", "DENIED")
    assert "'allow_registry_header'" in error["message"]
    assert client.get("/elsewhere").header("Content-Type").startswith("text/plain")


def test_what_is_no_registrys_path_is_left_to_the_rules(start_hawker, origin):
    model = origin.add("/repos/ab/model", MODEL)
    hawker = start_hawker({"allow_registry_header": [origin.url("")]}, rules=[rule("repos", HOST + "/repos/", access="shared")])
    client = client_of(hawker)
    for _ in range(2):
        got = client.get("/repos/ab/model?ns=x", X_Dragonfly_Registry=origin.url(""))
        assert got.body == MODEL.bytes()
        hawker.wait_until_stored(got)
    assert len(model.gets) == 1 and model.gets[0].query == "ns=x", "elsewhere it is a parameter like others"


class DragonflyAdapter(HTTPAdapter):
    """Of Dragonfly's Hugging Face guide."""

    def get_connection(self, url, proxies=None):
        if url.startswith("https://cdn-lfs.huggingface.co"):
            url = url.replace("https://", "http://")
        return super().get_connection(url, proxies)

    def add_headers(self, request, **kwargs):
        super().add_headers(request, **kwargs)
        if "example.com" in request.url:
            request.headers["X-Dragonfly-Registry"] = "https://example.com"


def guides_session(hawker):
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", DragonflyAdapter())
    session.mount("https://", DragonflyAdapter())
    session.proxies = {"http": hawker.proxy_url}
    return session


def test_the_hugging_face_guides_adapter_works(start_hawker, origin):
    model = origin.add("/repos/ab/cd/model", MODEL, signed=True)
    rules = [rule("repos", HOST + "/repos/")]
    hawker = start_hawker({"registry_mirror": origin.url("")}, rules=rules)
    session = guides_session(hawker)
    for _ in range(2):
        query = origin.signer.query("/repos/ab/cd/model")
        answer = session.get(f"https://cdn-lfs.huggingface.co/repos/ab/cd/model?{query}", timeout=60)
        assert (answer.status_code, answer.content) == (200, MODEL.bytes())
        hawker.log_line("task done")
    assert model.bytes_sent <= MODEL.size + 1, "one byte to ask for the new signature"
    # The adapter's line for another host: a registry that this proxy does not list.
    refused = session.get("https://cdn-lfs.huggingface.co/repos/ab/cd/model?from=example.com", timeout=60)
    assert refused.status_code == 403 and "allow_registry_header" in refused.text


@pytest.mark.skipif(not docker_registry.are_installed(), reason="needs docker-registry and skopeo")
def test_skopeo_uses_the_proxys_listener_as_a_mirror_by_its_registries_conf(start_hawker, tmp_path):
    registry = DockerRegistry(tmp_path / "registry").start()
    try:
        skopeo = Skopeo(tmp_path / "skopeo")
        skopeo.copy(IMAGE.write_layout(tmp_path / "layout"), registry.reference("team/app"))
        hawker = start_hawker({"registry_mirror": registry.url})
        conf = tmp_path / "registries.conf"
        conf.write_text('[[registry]]\nlocation = "registry.invalid"\n'
                        f'[[registry.mirror]]\nlocation = "{hawker.proxy[0]}:{hawker.proxy[1]}"\ninsecure = true\n')
        for _ in range(2):
            folder = skopeo.pull("docker://registry.invalid/team/app", options=["--registries-conf", conf])
            assert (folder / "manifest.json").read_bytes() == IMAGE.data
            hawker.log_line(f"task done.*bytes={IMAGE.layers[0].size}|\"bytes\":{IMAGE.layers[0].size}")
        assert registry.blob_bytes() <= IMAGE.size
    finally:
        registry.stop()

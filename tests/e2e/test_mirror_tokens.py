"""A mirror's own `token` reads for that mirror's clients, and for nobody else of the same daemon: not for another mirror of the same
upstream, not for the forward proxy, not after a restart, not without the upstream."""

import pytest

from harness.content import KIB, MIB, Content
from harness.hub_mirror import FILES, WEIGHTS, hub  # noqa: F401: a fixture
from harness.mirror_client import MirrorClient, stored
from harness.oci_image import ACCEPT, Image
from harness.rules import HOST, rule
from harness.secrets import plant
from harness.small_modelscope import SmallModelScope
from harness.small_registry import pull

IMAGE = Image([Content(1 * MIB)])
LAYER = next(digest for digest, blob in IMAGE.blobs.items() if blob.size >= MIB)
BODY = Content(300 * KIB)


@pytest.fixture
def start_mirrors(start_hawker):
    """start_mirrors("generic", upstream, first_token, None): a client of a mirror with each token, and the daemon."""

    def start(kind, upstream, *tokens, rules=None, **options):
        keys = [{"token": token} if token else {} for token in tokens]
        mirrors = [{"listen": "127.0.0.1:0", "kind": kind, "upstreams": [upstream], **each} for each in keys]
        hawker = start_hawker({"mirrors": mirrors, **options}, rules)
        return [MirrorClient(url) for url in hawker.mirrors], hawker

    return start


def offline(hawker):
    """The same mirrors after a restart, when nobody can be asked."""
    for mirror in hawker.options["mirrors"]:
        mirror["offline"] = True
    hawker.stop()
    hawker.restart()
    return [MirrorClient(url) for url in hawker.mirrors]


def guarded(origin, path, token):
    """An object that this bearer alone reads."""
    resource = origin.add(path, BODY)

    def guard(request, answer):
        if request.header("Authorization") != f"Bearer {token}":
            answer.become(401, {}, b"who are you?")

    resource.handler = guard
    return origin.url(path)


def test_what_a_generic_mirrors_token_reads_is_read_by_no_other_listener(start_mirrors, origin):
    token = plant("token_of_the_first_mirror")
    url = guarded(origin, "/verify/blob", token)
    rules = [rule("verify", HOST + "/verify/", ignore_credentials=True)]
    (first, second, third), hawker = start_mirrors("generic", origin.url(""), token, plant("token_for_nothing"), None, rules=rules)
    assert stored(hawker, first.get("/verify/blob")).body == BODY.bytes()
    assert first.get("/verify/blob").body == BODY.bytes()
    for answer in (second.get("/verify/blob"), third.get("/verify/blob"), third.head("/verify/blob"), hawker.fetch(url)):
        assert answer.status == 401
    # What a client shows besides is one more thing that goes up, and no way around.
    assert first.get("/verify/blob", Cookie="a=b").body == BODY.bytes()
    assert third.get("/verify/blob", Cookie="a=b").status == 401
    assert hawker.fetch(url, headers={"Cookie": "a=b"}).status == 401


def test_what_a_hub_mirrors_token_reads_is_read_by_no_other_mirror(start_mirrors, hub):  # noqa: F811
    token = plant("hf_token_of_the_first_mirror")
    repo = hub.repo("org/private", FILES, token=token)
    (first, *others), hawker = start_mirrors("huggingface", hub.origin.url(""), token, plant("hf_for_nothing"), None)
    paths = [repo.resolve("model.bin"), repo.resolve("model.bin", repo.commit), f"{repo.at}/tree/{repo.commit}",
             repo.resolve("missing.json"), f"{repo.at}/revision/main"]
    for headers in ({}, {"Cookie": "a=b"}):
        first.request("GET", f"{repo.at}/tree/{repo.commit}", headers)
        first.request("GET", repo.resolve("missing.json"), headers)
        assert stored(hawker, first.request("GET", repo.resolve("model.bin"), headers)).body == WEIGHTS.bytes()
        for other in others:
            for path in paths:
                assert other.request("GET", path, headers).status == 401, path
                assert other.request("HEAD", path, headers).status == 401, path
    first, *others = offline(hawker)
    assert first.get(repo.resolve("model.bin")).body == WEIGHTS.bytes()
    assert first.get(f"{repo.at}/tree/{repo.commit}").status == 200
    for other in others:
        for path in paths:
            assert other.get(path).status in (403, 504), path


@pytest.mark.parametrize(("target", "goes_up"), [
    ("/api/models/org/private/auth-check", True), ("/org/private/raw/main/config.json", True), ("/api/models?search=x", True),
    ("/api/models/org/private/revision/main", True), ("/org/private.git/info/refs?service=git-upload-pack", True),
    ("/api/spaces/org/app/jwt?write=true", False), ("/api/spaces/org/app/%6Awt", False), ("/api/models/org/private/xet-write-token/main", False),
    ("/api/models/org/private/XET-write-token/main", False), ("/api/whoami-v2", False), ("/settings/tokens", False),
    ("/org/private/resolve/main/config.json?__sign=x", False), ("/api/datasets/org/parquet/xet-write-token/main", False),
    ("/api/datasets/org/parquet/jwt?write=true", False), ("/api/models/gpt2/jwt", False),
])
def test_a_hub_mirrors_token_reads_and_does_nothing_else_for_whoever_asks(start_mirrors, hub, target, goes_up):  # noqa: F811
    token = plant("hf_token_of_the_mirror")
    hub.repo("org/private", FILES, token=token)
    (mirror,), _ = start_mirrors("huggingface", hub.origin.url(""), token)
    mirror.get(target)
    shown = [each.header("Authorization") for each in hub.requests]
    assert shown and set(shown) == ({f"Bearer {token}"} if goes_up else {None}), shown


def test_a_mirror_reads_offline_what_its_token_has_brought_long_ago(start_mirrors, hub):  # noqa: F811
    token = plant("hf_token_of_the_mirror")
    repo = hub.repo("org/private", FILES, token=token)
    (first, second), hawker = start_mirrors("huggingface", hub.origin.url(""), token, None, access_ttl="1ms")
    stored(hawker, first.get(repo.resolve("model.bin")))
    hub.down = True
    assert first.get(repo.resolve("model.bin")).body == WEIGHTS.bytes()
    assert second.get(repo.resolve("model.bin")).status != 200
    first, second = offline(hawker)
    assert first.get(repo.resolve("model.bin")).body == WEIGHTS.bytes()
    assert second.get(repo.resolve("model.bin")).status == 403
    assert second.get(repo.resolve("model.bin", repo.commit)).status == 403


def test_what_a_registry_mirrors_token_reads_is_read_by_no_other_mirror(start_mirrors, registry):
    repo = registry.repo("team/private", IMAGE, users={"owner": plant("the-owners-password")})
    token = registry.token("team/private", "owner")
    (first, *others), hawker = start_mirrors("registry", registry.origin.url(""), token, plant("token-for-nothing"), None)
    pull(first, repo, hawker=hawker)
    paths = [repo.manifest(), repo.manifest(IMAGE.digest), repo.blob(LAYER)]
    for other in others:
        for path in paths:
            assert other.get(path, Accept=ACCEPT).status == 401, path
    first, *others = offline(hawker)
    pull(first, repo)
    for other in others:
        for path in paths:
            assert other.get(path, Accept=ACCEPT).status in (403, 504), path


def test_what_a_modelscope_mirrors_token_reads_is_read_by_no_other_mirror(start_mirrors, origin, other_origin):
    scope = SmallModelScope(origin, other_origin)
    token = plant("ms_token_of_the_first_mirror")
    repo = scope.repo("org/private", FILES, token=token)
    (first, *others), hawker = start_mirrors("modelscope", origin.url(""), token, plant("ms_for_nothing"), None)
    first.get(repo.listing())
    assert stored(hawker, first.get(repo.file("model.bin"))).body == WEIGHTS.bytes()
    for other in others:
        for path in (repo.listing(), repo.file("model.bin")):
            assert other.get(path).status == 403, path
    first, *others = offline(hawker)
    assert first.get(repo.file("model.bin")).body == WEIGHTS.bytes()
    for other in others:
        for path in (repo.listing(), repo.file("model.bin")):
            assert other.get(path).status == 403, path

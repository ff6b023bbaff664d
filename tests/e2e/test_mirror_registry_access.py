"""`kind: registry`: whose yes counts, online, while the registry is away, and offline."""

import json

import pytest

from harness.content import MIB, Content
from harness.mirror_client import MirrorClient
from harness.oci_image import ACCEPT, Image
from harness.origin_answer import redirect
from harness.secrets import plant
from harness.small_registry import bearer, pull
from harness.waiting import eventually

IMAGE = Image([Content(3 * MIB)])
OTHER = Image([Content(1 * MIB, seed=3)])
LAYER = next(digest for digest, blob in IMAGE.blobs.items() if blob.size > MIB)


@pytest.fixture
def start_mirror(start_registry_mirror, registry):
    return lambda **keys: start_registry_mirror(registry.origin.url(""), **keys)


def restarted(hawker, **keys):
    hawker.options["mirrors"][0].update(keys)
    hawker.stop()
    hawker.restart()
    return MirrorClient(hawker.mirrors[0])


# Who may read -----------------------------------------------------------------------------------------------------------------


def test_the_token_servers_challenge_reaches_the_client_as_it_is(start_mirror, registry):
    repo = registry.repo("team/private", IMAGE, users={"owner": plant("secret-of-the-owner")})
    mirror, _ = start_mirror()
    for path in ("/v2/", repo.manifest(), repo.blob(LAYER), f"{repo.at}/tags/list"):
        refused = mirror.get(path, Accept=ACCEPT)
        assert refused.status == 401, path
        assert refused.header("WWW-Authenticate").startswith(registry.challenge), path
        assert b"UNAUTHORIZED" in refused.body, path
    assert mirror.head(repo.manifest(), Accept=ACCEPT).header("WWW-Authenticate").startswith(registry.challenge)


def test_a_private_image_is_read_by_whom_the_registry_lets_in_and_by_nobody_else(start_mirror, registry):
    repo = registry.repo("team/private", IMAGE, users={"owner": plant("owners-secret")})
    mirror, hawker = start_mirror()
    pull(mirror, repo, hawker=hawker, **bearer(registry.token("team/private", "owner")))
    for stranger in ({}, bearer(registry.token("team/private", "stranger")), bearer("made-up")):
        for path in (repo.manifest(), repo.manifest(IMAGE.digest), repo.blob(LAYER), f"{repo.at}/tags/list"):
            refused = mirror.get(path, Accept=ACCEPT, **stranger)
            assert refused.status == 401 and IMAGE.blobs[LAYER].data[:100] not in refused.body
        assert mirror.head(repo.blob(LAYER), **stranger).status == 401
    before = registry.store.bytes_sent
    pull(mirror, repo, **bearer(registry.token("team/private", "owner")))
    assert registry.store.bytes_sent - before <= 1, "another token of the same user is asked for once"


def test_a_yes_for_one_repository_opens_no_blob_of_another(start_mirror, registry):
    private = registry.repo("team/private", IMAGE, users={"owner": plant("the-owners-own")})
    public = registry.repo("open/app", OTHER)
    mirror, hawker = start_mirror()
    owner = bearer(registry.token("team/private", "owner"))
    pull(mirror, private, hawker=hawker, **owner)
    pull(mirror, public, hawker=hawker)
    assert mirror.get(public.blob(LAYER)).status == 404, "the public one does not have it, and the registry says so"
    assert mirror.get(public.blob(LAYER), **owner).status == 404
    assert mirror.head(public.blob(LAYER)).status == 404
    # Mounted there too it is everybody's.
    registry.origin.resources[public.blob(LAYER)] = registry.origin.resources[private.blob(LAYER)]
    registry.origin.resources[public.blob(LAYER)].handler = public._blob(LAYER)  # pylint: disable=protected-access
    assert mirror.get(public.blob(LAYER)).body == IMAGE.blobs[LAYER].data


def test_an_anonymous_yes_is_a_yes_to_all(start_mirror, registry):
    repo = registry.repo("open/app", IMAGE)
    mirror, hawker = start_mirror()
    pull(mirror, repo, hawker=hawker)
    before = len(registry.requests)
    pull(mirror, repo, **bearer(registry.token("open/app", "anybody")))
    assert len(registry.requests) == before


def test_a_token_goes_to_the_registry_and_never_to_its_store(start_mirror, registry):
    repo = registry.repo("team/private", IMAGE, users={"owner": plant("owner-secret-3")})
    mirror, _ = start_mirror()
    token = registry.token("team/private", "owner")
    pull(mirror, repo, **bearer(token), Cookie=plant("c4naryS3cret-cookie"))
    assert registry.store.requests
    for request in registry.store.requests:
        assert request.header("Authorization") is None and request.header("Cookie") is None
    assert all(request.header("Cookie") is None for request in registry.requests)


def test_a_manifest_that_is_elsewhere_is_fetched_there_without_the_token(start_mirror, registry, second_registry):
    """As registry.k8s.io has them: its requests are redirected to other registries."""
    repo = registry.repo("team/private", IMAGE, users={"owner": plant("owner-secret-6")})
    there = second_registry.repo("there/app", IMAGE)
    mirror, _ = start_mirror()
    for reference in ("latest", IMAGE.digest):
        registry.origin.resources[repo.manifest(reference)].fault(
            redirect(second_registry.origin.url(there.manifest(reference)), 307), when=lambda request: request.header("Authorization"))
        got = mirror.get(repo.manifest(reference), Accept=ACCEPT, **bearer(registry.token("team/private", "owner")))
        assert (got.status, got.body) == (200, IMAGE.data)
        assert mirror.get(repo.manifest(reference), Accept=ACCEPT).status == 401
    assert second_registry.requests
    assert all(request.header("Authorization") is None for request in second_registry.requests)


# While the registry is away ---------------------------------------------------------------------------------------------------


def test_while_the_registry_is_down_what_was_open_is_served_and_said_to_be_old(start_mirror, registry):
    repo = registry.repo("open/app", IMAGE)
    mirror, hawker = start_mirror(ref_ttl="1ms")
    pull(mirror, repo, hawker=hawker)
    registry.down = True
    assert mirror.get("/v2/").status == 200, "nobody is sent to a token server"
    stale = eventually(lambda: (got := mirror.get(repo.manifest(), Accept=ACCEPT)).header("Warning") and got)
    assert (stale.status, stale.body) == (200, IMAGE.data)
    assert stale.header("Warning").startswith("110 ") and stale.cache_status["detail"] == "stale"
    pull(mirror, repo)
    hawker.stop()
    hawker.restart()
    pull(MirrorClient(hawker.mirrors[0]), repo)
    registry.down = False
    back = MirrorClient(hawker.mirrors[0])
    eventually(lambda: back.get(repo.manifest(), Accept=ACCEPT).header("Warning") is None, "asked again")


def test_while_the_registry_is_down_another_name_opens_nothing(start_mirror, registry):
    repo = registry.repo("open/app", IMAGE)
    mirror, hawker = start_mirror(ref_ttl="1ms")
    pull(mirror, repo, hawker=hawker)
    repo.users = {"owner": plant("owner-secret-9")}
    eventually(lambda: mirror.get(repo.manifest(), Accept=ACCEPT).status == 401, "it is closed by now")
    registry.down = True
    for name in ("open/app", "no/such", "another"):
        assert mirror.get(f"/v2/{name}/blobs/{LAYER}").status in (401, 403, 404, 503), name


def test_while_the_registry_is_down_a_private_image_is_its_readers_alone(start_mirror, registry):
    repo = registry.repo("team/private", IMAGE, users={"owner": plant("owner-secret-4")})
    mirror, hawker = start_mirror()
    owner = bearer(registry.token("team/private", "owner"))
    pull(mirror, repo, hawker=hawker, **owner)
    registry.gone = True
    pull(mirror, repo, **owner)
    for path in (repo.manifest(), repo.manifest(IMAGE.digest), repo.blob(LAYER)):
        refused = mirror.get(path, Accept=ACCEPT)
        [error] = json.loads(refused.body)["errors"]
        assert (refused.status, error["code"]) == (403, "DENIED") and "offline_access" in error["message"], path


@pytest.mark.parametrize("listed", [False, True])
def test_offline_serves_what_is_here_to_whoever_may_read_it(start_mirror, registry, listed):
    open_repo = registry.repo("open/app", OTHER)
    private = registry.repo("team/private", IMAGE, users={"owner": plant("owner-secret-5")})
    mirror, hawker = start_mirror()
    pull(mirror, private, hawker=hawker, **bearer(registry.token("team/private", "owner")))
    pull(mirror, open_repo, hawker=hawker)
    before = len(registry.requests)
    mirror = restarted(hawker, offline=True, offline_access=["127.0.0.0/8"] if listed else [])
    pull(mirror, open_repo)
    if listed:
        pull(mirror, private)
    else:
        assert mirror.get(private.manifest(), Accept=ACCEPT).status == 403
        assert mirror.get(private.blob(LAYER)).status == 403
    missing = mirror.get("/v2/open/other/manifests/latest", Accept=ACCEPT)
    assert missing.status == 504 and b"offline: false" in missing.body
    assert mirror.get("/v2/").status == 200
    assert len(registry.requests) == before

"""A signature that is stripped from the key still decides who may read."""

import threading

import pytest

from harness.content import KIB, MIB, Content
from harness.crowd import Crowd
from harness.origin_answer import stalled
from harness.rules import HOST, rule
from harness.signing import secret
from harness.waiting import eventually


@pytest.fixture
def cached(hawker, origin):
    """An object under `access: verify` that is completely cached."""
    blob = origin.add("/verify/blob", Content(5 * MIB), signed=True)
    hawker.fetch_until_stored(origin.signed_url("/verify/blob"))
    return blob


def assert_refused_by_the_origin(answer, code):
    assert answer.status == 403
    assert answer.text == f"<Error><Code>{code}</Code></Error>"
    assert answer.header("Content-Type") == "application/xml"


def test_another_good_signature_is_a_hit_that_costs_the_origin_one_byte(hawker, origin, cached):
    before = cached.bytes_sent
    answer = hawker.fetch(origin.signed_url("/verify/blob"))
    assert (answer.status, answer.sha256) == (200, cached.content.sha256())
    assert answer.cache_status.get("hit")
    assert cached.bytes_sent - before <= 1


def test_the_same_signature_again_does_not_bother_the_origin(hawker, origin, cached):
    url = origin.signed_url("/verify/blob")
    hawker.fetch(url)
    before = len(cached.requests)
    assert hawker.fetch(url).sha256 == cached.content.sha256()
    assert len(cached.requests) == before


def test_no_signature_gets_the_origins_own_refusal(hawker, origin, cached):
    assert_refused_by_the_origin(hawker.fetch(origin.url("/verify/blob")), "MissingKey")


def test_an_expired_signature_gets_the_origins_own_refusal(hawker, origin, cached):
    assert_refused_by_the_origin(hawker.fetch(origin.signed_url("/verify/blob", ttl=-10)), "RequestExpired")


def test_a_foreign_signature_gets_the_origins_own_refusal(hawker, origin, cached):
    url = origin.url("/verify/blob", origin.signer.foreign_query("/verify/blob"))
    assert_refused_by_the_origin(hawker.fetch(url), "SignatureDoesNotMatch")


def test_a_signature_for_another_path_gets_the_origins_own_refusal(hawker, origin, cached):
    url = origin.url("/verify/blob", origin.signer.query("/verify/other"))
    assert_refused_by_the_origin(hawker.fetch(url), "SignatureDoesNotMatch")


@pytest.mark.parametrize("request_line", [{"Range": "bytes=0-99"}, {"If-None-Match": "*"}])
def test_a_refusal_comes_before_ranges_and_conditions(hawker, origin, cached, request_line):
    answer = hawker.fetch(origin.url("/verify/blob"), headers=request_line)
    assert answer.status == 403


def test_head_without_a_signature_is_refused_too(hawker, origin, cached):
    assert hawker.fetch(origin.url("/verify/blob"), "HEAD").status == 403


def test_a_refusal_does_not_spoil_the_object_for_the_others(hawker, origin, cached):
    hawker.fetch(origin.url("/verify/blob"))
    assert hawker.fetch(origin.signed_url("/verify/blob")).cache_status.get("hit")


def test_a_yes_is_not_remembered_beyond_the_signatures_own_end(hawker, origin, cached):
    query = origin.signer.query("/verify/blob", ttl=4)
    assert hawker.fetch(origin.url("/verify/blob", query)).status == 200
    eventually(lambda: origin.signer.objection("/verify/blob", query), "the signature's end")
    eventually(lambda: hawker.fetch(origin.url("/verify/blob", query)).status == 403, "the refusal")


def test_a_different_authorization_is_a_different_principal(hawker, origin):
    good = f"Bearer {secret('token')}"
    blob = origin.add("/verify/private", Content(2 * MIB), authorization=good)
    assert hawker.fetch(origin.url("/verify/private"), headers={"Authorization": good}).sha256 == blob.content.sha256()
    for headers in ({}, {"Authorization": f"Bearer {secret('token')}"}, {"Cookie": f"session={secret('cookie')}"}):
        assert_refused_by_the_origin(hawker.fetch(origin.url("/verify/private"), headers=headers), "AccessDenied")


def test_responses_to_authorization_are_shared_only_by_a_rule_that_says_so(start_hawker, origin):
    hawker = start_hawker(rules=[rule("hub", HOST + "/hub/", ignore_credentials=True)])
    good = f"Bearer {secret('token')}"
    blob = origin.add("/hub/private", Content(2 * MIB), authorization=good)
    hawker.fetch_until_stored(origin.url("/hub/private"), headers={"Authorization": good})
    before = blob.bytes_sent
    assert hawker.fetch(origin.url("/hub/private"), headers={"Authorization": good}).cache_status.get("hit")
    assert blob.bytes_sent - before <= 1
    assert_refused_by_the_origin(hawker.fetch(origin.url("/hub/private")), "AccessDenied")


def test_who_joins_a_running_fetch_needs_a_yes_of_its_own(hawker, origin):
    go_on = threading.Event()
    blob = origin.add("/verify/blob", Content(8 * MIB), signed=True).fault(stalled(2 * MIB, go_on), times=1)
    crowd = Crowd()
    crowd.start(hawker.fetch, origin.signed_url("/verify/blob"))
    eventually(lambda: blob.bytes_sent >= 1 * MIB, "the running fetch")
    for url in (origin.url("/verify/blob"), origin.signed_url("/verify/blob", ttl=-10)):
        assert hawker.fetch(url).status == 403
    go_on.set()
    assert crowd.join()[0].sha256 == blob.content.sha256()


def test_with_capability_knowing_the_digest_is_the_right(hawker, origin):
    content = Content(1 * MIB)
    blob = origin.add(f"/sha256/{content.sha256()}", content, signed=True)
    hawker.fetch_until_stored(origin.signed_url(blob.path))
    before = len(blob.requests)
    answer = hawker.fetch(origin.url(blob.path))
    assert (answer.status, answer.sha256) == (200, content.sha256())
    assert len(blob.requests) == before


def test_with_capability_a_miss_still_needs_the_origins_yes(hawker, origin):
    content = Content(100 * KIB)
    origin.add(f"/sha256/{content.sha256()}", content, signed=True)
    assert_refused_by_the_origin(hawker.fetch(origin.url(f"/sha256/{content.sha256()}")), "MissingKey")


def test_with_shared_knowing_the_url_is_enough(hawker, origin):
    blob = origin.add("/shared/blob", Content(1 * MIB), signed=True)
    hawker.fetch_until_stored(origin.signed_url("/shared/blob"))
    before = len(blob.requests)
    assert hawker.fetch(origin.url("/shared/blob")).sha256 == blob.content.sha256()
    assert len(blob.requests) == before


def test_an_object_that_changed_at_the_origin_is_not_served_to_a_new_principal(hawker, origin, cached):
    changed = Content(5 * MIB, seed=77)
    cached.replace(changed)
    assert hawker.fetch(origin.signed_url("/verify/blob")).sha256 == changed.sha256()


@pytest.mark.parametrize("trusts", [False, True])
def test_a_server_of_ones_own_opens_no_content_by_its_digest(start_hawker, origin, other_origin, trusts):
    """Digests and sizes stand in manifests and pointer files; only a host that is no reader's own may say who reads by them."""
    content = Content(5 * MIB)
    path = f"/named/{content.sha256()}"
    rules = [rule("named", HOST + "/named/(?P<sha256>[0-9a-f]{64})", digest="sha256", trust_origin=trusts)]
    hawker = start_hawker(rules=rules)
    origin.add(path, content, signed=True)
    hawker.fetch_until_stored(origin.signed_url(path))
    asked = []

    def claims(request, answer):
        asked.append(request.header("Range"))
        head = {"Content-Range": f"bytes 0-0/{content.size}", "ETag": '"mine"', "Accept-Ranges": "bytes"}
        answer.become(206, head, b"x")

    other_origin.add_handler(path, claims)
    got = hawker.fetch(other_origin.url(path))
    assert asked
    assert (content.bytes(0, 1000) in got.body) == trusts

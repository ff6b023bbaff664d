"""Whose answers are kept: with credentials, cookies, no-store or private only where the rule says `ignore_credentials`."""

import pytest
import requests

from harness.clients import Curl
from harness.content import MIB, Content
from harness.rules import HOST, rule
from harness.signing import secret

SIZE = 2 * MIB
CREDENTIALS = ["Authorization", "Cookie", "Private-Token", "Job-Token", "Deploy-Token"]
FOR_ONE = {"no-store": {"Cache-Control": "no-store"}, "private": {"Cache-Control": "private, max-age=60"},
           "a cookie": {"Set-Cookie": "id=1"}}


@pytest.fixture
def proxy(start_hawker):
    return start_hawker(rules=[rule("careful", HOST + "/careful/"), rule("shared", HOST + "/shared/", access="shared"),
                               rule("told", HOST + "/told/", access="shared", ignore_credentials=True),
                               rule("http", HOST + "/http/", policy="http", access="shared")])


def credential(name):
    return {name: f"Bearer {secret('credential')}"}


def is_stored(hawker, origin, path):
    return any(task["url"] == origin.url(path) for task in hawker.tasks())


@pytest.mark.parametrize("name", CREDENTIALS)
@pytest.mark.parametrize("path", ["/careful/blob", "/shared/blob"])
def test_credentials_that_no_rule_speaks_for_cost_one_request_and_store_nothing(proxy, origin, path, name):
    blob = origin.add(path, Content(SIZE), headers={"Cache-Control": "public, max-age=600"})
    for count in (1, 2):
        answer = proxy.fetch(origin.url(path), headers=credential(name))
        assert (answer.status, answer.sha256) == (200, blob.content.sha256())
        assert len(blob.requests) == count
    assert blob.requests[0].header("Range") is None
    assert not is_stored(proxy, origin, path)


def test_a_range_with_credentials_arrives_as_it_was_asked(proxy, origin):
    blob = origin.add("/careful/blob", Content(SIZE))
    answer = proxy.fetch(origin.url("/careful/blob"), headers={"Range": "bytes=7-99", **credential("Authorization")})
    assert (answer.status, answer.body) == (206, blob.content.bytes(7, 100))
    assert [request.header("Range") for request in blob.requests] == ["bytes=7-99"]


def test_what_is_here_already_is_a_hit_for_credentials_too(proxy, origin):
    """A public object that the first client fetched without credentials: they cost one byte to be looked at."""
    blob = origin.add("/careful/blob", Content(SIZE))
    proxy.fetch_until_stored(origin.url("/careful/blob"))
    before = blob.bytes_sent
    headers = credential("Authorization")
    for _ in range(2):
        answer = proxy.fetch(origin.url("/careful/blob"), headers=headers)
        assert answer.cache_status.get("hit") and answer.sha256 == blob.content.sha256()
    assert blob.bytes_sent - before == 1
    assert blob.requests[-1].header("Authorization") == headers["Authorization"]


def test_what_was_replaced_meanwhile_is_not_fetched_with_such_credentials(proxy, origin):
    blob = origin.add("/careful/blob", Content(SIZE))
    proxy.fetch_until_stored(origin.url("/careful/blob"))
    changed = Content(SIZE, seed=7)
    blob.replace(changed)
    blob.requests.clear()
    assert proxy.fetch(origin.url("/careful/blob"), headers=credential("Cookie")).sha256 == changed.sha256()
    assert [request.header("Range") for request in blob.requests] == ["bytes=0-0", None]
    assert not is_stored(proxy, origin, "/careful/blob")


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_rule_may_speak_for_credentials(proxy, origin, name):
    blob = origin.add("/told/blob", Content(SIZE), headers={"Cache-Control": "private", "Set-Cookie": f"id={secret('id')}"})
    proxy.fetch_until_stored(origin.url("/told/blob"), headers=credential(name))
    answer = proxy.fetch(origin.url("/told/blob"))
    assert answer.cache_status.get("hit") and answer.sha256 == blob.content.sha256()
    assert answer.header("Set-Cookie") is None


@pytest.mark.parametrize("what", FOR_ONE)
@pytest.mark.parametrize("path", ["/careful/blob", "/shared/blob", "/http/blob"])
def test_what_is_for_one_reader_is_not_stored(proxy, origin, path, what):
    blob = origin.add(path, Content(SIZE), headers=FOR_ONE[what])
    for _ in range(2):
        assert proxy.fetch(origin.url(path)).sha256 == blob.content.sha256()
    assert blob.bytes_sent >= 2 * SIZE
    assert not is_stored(proxy, origin, path)


def test_fields_that_are_for_one_reader_are_not_kept(proxy, origin):
    headers = {"Cache-Control": 'private="X-User", no-cache="x-mood"', "X-User": "alice", "X-Mood": "good", "X-Other": "1"}
    origin.add("/told/blob", Content(SIZE), headers=headers)
    proxy.fetch_until_stored(origin.url("/told/blob"), headers=credential("Authorization"))
    answer = proxy.fetch(origin.url("/told/blob"))
    assert answer.cache_status.get("hit") and answer.header("X-Other") == "1"
    assert answer.header("X-User") is None and answer.header("X-Mood") is None


def test_curl_and_requests_with_their_own_credentials(proxy, origin, tmp_path, authority):
    user, password = "me", secret("password")
    blob = origin.add("/careful/blob", Content(SIZE))
    url = origin.url("/careful/blob")
    assert Curl(tmp_path, proxy, authority).body(url, "-u", f"{user}:{password}") == blob.content.bytes(0, SIZE)
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": proxy.proxy_url}
        session.cookies.set("session", secret("cookie"))
        assert session.get(url, auth=(user, password), timeout=60).content == blob.content.bytes(0, SIZE)
    assert len(blob.requests) == 2
    assert all(request.header("Authorization").startswith("Basic ") for request in blob.requests)

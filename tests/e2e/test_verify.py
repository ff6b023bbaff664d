"""`access: verify`: one question for all who ask at once, and what happens when the origin cannot be asked."""

import socket
import threading

import pytest

from harness.content import MIB, Content
from harness.crowd import Crowd
from harness.origin_answer import late_head, no_answer, stalled, status
from harness.rules import HOST, rule
from harness.signing import secret
from harness.waiting import eventually, stretched

MANY = 50
QUESTION = "bytes=0-0"


@pytest.fixture
def cached(hawker, origin):
    blob = origin.add("/verify/blob", Content(2 * MIB), signed=True)
    hawker.fetch_until_stored(origin.signed_url("/verify/blob"))
    blob.requests.clear()
    return blob


def is_question(request):
    return request.header("Range") == QUESTION


def burst(hawker, resource, url, answered, **more):
    """MANY clients of one principal, all of them waiting before the origin answers the first."""
    crowd = Crowd()
    for _ in range(MANY):
        crowd.start(hawker.fetch, url, **more)
    eventually(lambda: hawker.metrics()["hawker_access_waiting"] == MANY - 1, "all but one waiting")
    answered.set()
    return crowd.join()


def test_a_burst_of_one_principal_asks_the_origin_once(hawker, origin, cached):
    answered = threading.Event()
    cached.fault(late_head(answered), when=is_question)
    answers = burst(hawker, cached, origin.signed_url("/verify/blob"), answered)
    assert all((each.status, each.sha256) == (200, cached.content.sha256()) for each in answers)
    assert all(each.cache_status.get("hit") for each in answers)
    assert len(cached.requests) == 1
    assert hawker.metrics()["hawker_access_waiting"] == 0


def test_a_refused_burst_gets_the_origins_refusal_and_nothing_is_remembered(hawker, origin, cached):
    answered = threading.Event()
    url = origin.signed_url("/verify/blob")
    no = status(403, b"<Error><Code>Gone</Code></Error>", Set_Cookie=f"id={secret('cookie')}", X_Reason="revoked")
    cached.fault(no, times=1, when=is_question).fault(late_head(answered), times=1, when=is_question)
    for each in burst(hawker, cached, url, answered):
        assert (each.status, each.text) == (403, "<Error><Code>Gone</Code></Error>")
        assert each.header("X-Reason") == "revoked" and each.header("Set-Cookie") is None
    assert len(cached.requests) == 1
    assert hawker.fetch(url).cache_status.get("hit")
    assert len(cached.requests) == 2


def test_followers_of_a_running_fetch_ask_once_for_each_principal(hawker, origin):
    go_on, answered = threading.Event(), threading.Event()
    blob = origin.add("/verify/blob", Content(8 * MIB), signed=True)
    blob.fault(stalled(2 * MIB, go_on), times=1).fault(late_head(answered), when=is_question)
    first = Crowd()
    first.start(hawker.fetch, origin.signed_url("/verify/blob"))
    eventually(lambda: blob.bytes_sent >= 1 * MIB, "the running fetch")
    crowd = Crowd()
    url = origin.signed_url("/verify/blob")
    for _ in range(MANY):
        crowd.start(hawker.fetch, url)
    eventually(lambda: hawker.metrics()["hawker_access_waiting"] == MANY - 1, "all but one waiting")
    answered.set()
    go_on.set()
    assert {each.sha256 for each in crowd.join() + first.join()} == {blob.content.sha256()}
    assert len([request for request in blob.requests if is_question(request)]) == 1


def test_another_principal_asks_for_itself_meanwhile(hawker, origin, cached):
    answered = threading.Event()
    cached.fault(late_head(answered), times=1, when=is_question)
    crowd = Crowd()
    crowd.start(hawker.fetch, origin.signed_url("/verify/blob"))
    eventually(lambda: len(cached.requests) == 1, "the question")
    assert hawker.fetch(origin.signed_url("/verify/blob")).cache_status.get("hit")
    assert hawker.fetch(origin.url("/verify/blob")).status == 403
    answered.set()
    assert crowd.join()[0].status == 200


def test_a_refusal_forgets_a_remembered_yes(hawker, origin, cached):
    query = origin.signer.query("/verify/blob")
    url = origin.url("/verify/blob", query)
    assert hawker.fetch(url).status == 200
    origin.signer.revoke(query)
    assert hawker.fetch(url).status == 200  # remembered: the origin was not asked
    assert hawker.fetch(url, headers={"X-Hawker-Tag": "never fetched"}).status == 403  # another task: its own yes
    assert hawker.fetch(url).status == 200


def test_a_refused_revalidation_forgets_a_remembered_yes(start_hawker, origin):
    hawker = start_hawker(rules=[rule("moving", HOST + "/moving/", policy="http")])
    page = origin.add("/moving/page", Content(1 * MIB), signed=True, headers={"Cache-Control": "max-age=600"})
    query = origin.signer.query("/moving/page")
    url = origin.url("/moving/page", query)
    hawker.fetch_until_stored(url)
    origin.signer.revoke(query)
    assert hawker.fetch(url).status == 200
    assert hawker.fetch(url, headers={"Cache-Control": "no-cache"}).status == 403
    before = len(page.requests)
    assert hawker.fetch(url).status == 403
    assert len(page.requests) == before + 1


# When the origin cannot be asked ------------------------------------------------------------------------------------------

SILENT = {"times out": late_head, "is busy": lambda _: status(503), "has too many": lambda _: status(429),
          "fails": lambda _: status(500), "hangs up": lambda _: no_answer()}
EXPECTED = {"times out": 504}


@pytest.fixture(params=["deny", "serve"])
def choice(request):
    return request.param


@pytest.fixture
def unsure(start_hawker, choice):
    more = {} if choice == "deny" else {"on_unverifiable": choice}
    return start_hawker({"origin.first_byte_timeout": stretched(3000)}, rules=[rule("unsure", HOST + "/unsure/", **more)])


@pytest.mark.parametrize("how", SILENT)
def test_an_origin_that_cannot_be_asked_is_no_yes_unless_the_rule_says_so(unsure, origin, choice, how):
    blob = origin.add("/unsure/blob", Content(2 * MIB), signed=True)
    unsure.fetch_until_stored(origin.signed_url("/unsure/blob"))
    never = threading.Event()
    blob.fault(SILENT[how](never))
    url = origin.signed_url("/unsure/blob")
    answer = unsure.fetch(url)
    if choice == "deny":
        assert answer.status == EXPECTED.get(how, 502)
        assert "on_unverifiable: serve" in answer.text and answer.text.count("\n") == 1
        assert "error=" in answer.header("Proxy-Status")
    else:
        assert (answer.status, answer.sha256) == (200, blob.content.sha256())
        assert answer.cache_status.get("hit") and answer.cache_status["detail"] == "not-verified"
        assert "served without asking" in answer.header("Proxy-Status") and "error=" in answer.header("Proxy-Status")
    never.set()
    blob.heal()
    answer = unsure.fetch(url)  # neither was remembered
    assert answer.cache_status.get("hit") and answer.cache_status["detail"] == "allowed-by-origin"


def is_closed(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_an_unreachable_origin_is_no_yes_unless_the_rule_says_so(unsure, origin, choice):
    blob = origin.add("/unsure/blob", Content(2 * MIB), signed=True)
    unsure.fetch_until_stored(origin.signed_url("/unsure/blob"))
    origin.close()
    eventually(lambda: is_closed(origin.port), "the closed port")
    assert unsure.fetch(origin.signed_url("/unsure/blob")).status == (502 if choice == "deny" else 200)


@pytest.mark.parametrize("code", [401, 403, 404])
def test_what_the_origin_refuses_is_never_served(unsure, origin, code):
    blob = origin.add("/unsure/blob", Content(2 * MIB), signed=True)
    unsure.fetch_until_stored(origin.signed_url("/unsure/blob"))
    blob.fault(status(code))
    answer = unsure.fetch(origin.signed_url("/unsure/blob"))
    assert (answer.status, answer.text) == (code, "the origin's own words")

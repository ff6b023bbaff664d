"""Where a signature covers request fields, the request reaches the origin as it was signed; codings never mix."""

import gzip

import pytest

from harness.clients import Curl
from harness.content import KIB, MIB, Content
from harness.origin_answer import gzipped
from harness.rules import HOST, rule
from harness.signing import FieldSigner

SIZE = 2 * MIB
SIGNED = {"range": {"Range": "bytes=100-299"}, "accept-encoding": {"Accept-Encoding": "gzip;q=0.5, br"},
          "a condition": {"If-Match": "*"}, "a field of its own": {"X-Mine": "a  b"}}


@pytest.fixture
def signer():
    return FieldSigner()


@pytest.fixture
def proxy(start_hawker):
    strip = {"strip": ["aws-sigv4"]}
    return start_hawker(rules=[rule("told", HOST + "/told/", key=strip, ignore_credentials=True),
                               rule("plain", HOST + "/plain/", key=strip)])


def checked(origin, signer, path):
    blob = origin.add(path, Content(SIZE))
    blob.handler = signer.check
    return blob


@pytest.mark.parametrize("path", ["/told/blob", "/plain/blob"])
@pytest.mark.parametrize("place", ["query", "Authorization"])
@pytest.mark.parametrize("what", SIGNED)
def test_what_was_signed_arrives_as_it_was_signed(proxy, origin, signer, path, place, what):
    blob = checked(origin, signer, path)
    signed = {"Host": origin.host, **SIGNED[what]}
    sent = {**SIGNED[what], "Authorization": signer.authorization(path, signed)} if place == "Authorization" else SIGNED[what]
    url = origin.url(path, signer.query(path, signed)) if place == "query" else origin.url(path)
    for count in (1, 2):
        answer = proxy.fetch(url, headers=sent)
        first, last = (100, 300) if what == "range" else (0, SIZE)
        assert (answer.status, answer.body) == (206 if what == "range" else 200, blob.content.bytes(first, last))
        assert len(blob.requests) == count


def test_the_origin_would_notice_a_changed_field(proxy, origin, signer):
    checked(origin, signer, "/plain/blob")
    signed = signer.query("/plain/blob", {"Host": origin.host, "Range": "bytes=100-299"})
    answer = proxy.fetch(origin.url("/plain/blob", signed), headers={"Range": "bytes=100-300"})
    assert (answer.status, "SignatureDoesNotMatch" in answer.text) == (403, True)


@pytest.mark.parametrize("place", ["query", "Authorization"])
def test_a_signature_over_what_a_fetch_sends_too_is_cached(proxy, origin, signer, place):
    blob = checked(origin, signer, "/told/blob")
    signed = {"Host": origin.host} if place == "query" else {"Host": origin.host, "X-Amz-Date": "20260101T000000Z"}
    sent = {} if place == "query" else {"X-Amz-Date": signed["X-Amz-Date"],
                                        "Authorization": signer.authorization("/told/blob", signed)}
    url = origin.url("/told/blob", signer.query("/told/blob", signed)) if place == "query" else origin.url("/told/blob")
    proxy.fetch_until_stored(url, headers=sent)
    answer = proxy.fetch(url, headers={**sent, "Range": "bytes=100-299"})
    assert answer.cache_status.get("hit") and answer.body == blob.content.bytes(100, 300)


def test_curls_own_signature_over_a_range_is_left_alone(proxy, origin, tmp_path, authority):
    blob = origin.add("/told/blob", Content(SIZE))
    body = Curl(tmp_path, proxy, authority).body(
        origin.url("/told/blob"), "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", "id:key", "-r", "5-9")
    assert body == blob.content.bytes(5, 10)
    assert blob.requests[-1].header("Authorization").startswith("AWS4-HMAC-SHA256 ")


# Codings ------------------------------------------------------------------------------------------------------------------


def negotiating(content):
    """gzip for those who say that they take it."""

    def handler(request, answer):
        answer.headers["Vary"] = "Accept-Encoding"
        if "gzip" in (request.header("Accept-Encoding") or ""):
            answer.become(200, {**answer.headers, "Content-Encoding": "gzip"}, gzip.compress(content.bytes(0, content.size), 1))
            answer.headers.pop("Content-Range", None)

    return handler


@pytest.mark.parametrize("first, second", [("gzip", "identity"), ("identity", "gzip"), ("gzip", None), (None, "gzip")])
@pytest.mark.parametrize("path", ["/shared/blob", "/verify/blob"])
def test_one_clients_coding_never_reaches_another(hawker, origin, path, first, second):
    content = Content(200 * KIB)
    blob = origin.add(path, content, headers={"Cache-Control": "max-age=600"})
    blob.handler = negotiating(content)
    hawker.fetch_until_stored(origin.url(path), headers={"Accept-Encoding": first} if first else {})
    answer = hawker.fetch(origin.url(path), headers={"Accept-Encoding": second} if second else {})
    assert answer.cache_status.get("hit") and answer.body == content.bytes(0, content.size)
    assert answer.header("Content-Encoding") is None
    assert {request.header("Accept-Encoding") for request in blob.requests} == {"identity"}


def test_a_coding_that_nobody_asked_for_is_relayed_and_never_kept(hawker, origin):
    content = Content(200 * KIB)
    blob = origin.add("/shared/blob", content).fault(gzipped())
    for _ in range(2):
        answer = hawker.fetch(origin.url("/shared/blob"))
        assert answer.header("Content-Encoding") == "gzip" and gzip.decompress(answer.body) == content.bytes(0, content.size)
    blob.heal()
    assert hawker.fetch(origin.url("/shared/blob")).body == content.bytes(0, content.size)

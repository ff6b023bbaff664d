"""Python requests: with `proxies`, and with an adapter that turns https:// of one host into http:// on its way to the proxy."""

import hashlib

import pytest
import requests
from requests.adapters import HTTPAdapter

from harness.content import KIB, MIB, Content
from harness.origin_answer import status
from harness.signing import secret


@pytest.fixture
def session(hawker):
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": hawker.proxy_url, "https": hawker.proxy_url}
        yield session


def sha256_of(response):
    digest = hashlib.sha256()
    for run in response.iter_content(256 * KIB):
        digest.update(run)
    return digest.hexdigest()


class CdnOverHttp(HTTPAdapter):
    """What users paste: requests to the CDN's host go to the proxy as http://, and the proxy speaks https:// to the CDN."""

    def __init__(self, cdn):
        super().__init__()
        self._prefix = f"https://{cdn}/"

    def send(self, request, **options):
        if request.url.startswith(self._prefix):
            request.url = "http://" + request.url.removeprefix("https://")
        return super().send(request, **options)


def test_a_new_signature_is_still_a_hit(session, origin):
    blob = origin.add("/verify/model", Content(20 * MIB), signed=True)
    for _ in range(3):
        with session.get(origin.signed_url("/verify/model"), stream=True) as response:
            assert sha256_of(response) == blob.content.sha256()
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_an_adapter_that_rewrites_https_is_served_from_the_cache(hawker, session, tls_origin):
    blob = tls_origin.add("/tls/model", Content(20 * MIB), signed=True)
    session.mount("https://", CdnOverHttp(tls_origin.host))
    statuses = []
    for _ in range(3):
        with session.get(tls_origin.signed_url("/tls/model"), stream=True) as response:
            assert sha256_of(response) == blob.content.sha256()
            statuses.append(response.headers["Cache-Status"])
        hawker.wait_until_all_is_stored()
    assert blob.bytes_sent <= 1.01 * blob.content.size
    assert "fwd=uri-miss" in statuses[0]
    assert "hit" in statuses[2]


def test_the_adapters_clients_get_the_origins_own_refusal(session, tls_origin):
    tls_origin.add("/tls/model", Content(1 * MIB), signed=True)
    session.mount("https://", CdnOverHttp(tls_origin.host))
    assert session.get(tls_origin.signed_url("/tls/model")).status_code == 200
    refused = session.get(tls_origin.signed_url("/tls/model", ttl=-5))
    assert (refused.status_code, refused.text) == (403, "<Error><Code>RequestExpired</Code></Error>")


def test_untouched_https_goes_through_the_tunnel(start_hawker, tls_origin, authority):
    hawker = start_hawker({"destinations.connect_ports": [str(tls_origin.port)]})
    blob = tls_origin.add("/tls/model", Content(5 * MIB))
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(authority.ca_file)
        session.proxies = {"https": hawker.proxy_url}
        assert sha256_of(session.get(tls_origin.url("/tls/model"), stream=True)) == blob.content.sha256()
    assert "Via" not in dict(blob.requests[0].fields)


def test_redirects_cookies_and_posts_work_as_without_a_proxy(session, origin, other_origin):
    token = secret("bearer")
    target = other_origin.add("/verify/model", Content(1 * MIB), signed=True)
    origin.add_handler("/resolve", lambda request, answer: status(
        302, b"", Location=other_origin.signed_url("/verify/model"), Set_Cookie="seen=1; Path=/resolve")(answer))
    for _ in range(2):
        response = session.get(origin.url("/resolve"), headers={"Authorization": f"Bearer {token}"})
        assert hashlib.sha256(response.content).hexdigest() == target.content.sha256()
    assert target.bytes_sent <= 1.01 * target.content.size
    assert all(request.header("Authorization") is None for request in target.requests)
    assert session.cookies["seen"] == "1"
    sink = origin.add("/upload")
    assert session.post(origin.url("/upload"), data=b"x" * 100_000).text == "received 100000 bytes"
    assert len(sink.requests) == 1


def test_a_generator_is_sent_chunked(session, origin):
    sink = origin.add("/upload")
    content = Content(3 * MIB)
    assert session.put(origin.url("/upload"), data=(bytes(run) for run in content.runs(most=50_000))).status_code == 200
    assert sink.requests[0].body_sha256 == content.sha256()

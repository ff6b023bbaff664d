"""curl: ranges, resuming, conditions, HTTP/1.0, and HTTPS through the tunnel."""

import email
import email.policy

import pytest

from harness.clients import Curl, sha256_of
from harness.content import KIB, MIB, Content
from harness.origin_answer import paced, truncated
from harness.waiting import eventually

SIZE = 9 * MIB + 321


@pytest.fixture
def curl(tmp_path, hawker, authority):
    folder = tmp_path / "curl"
    folder.mkdir()
    return Curl(folder, hawker, authority)


@pytest.fixture
def blob(origin):
    return origin.add("/shared/blob", Content(SIZE))


@pytest.fixture
def url(origin):
    return origin.url("/shared/blob")


@pytest.fixture(params=["cold", "cached"])
def warmth(request, hawker, blob, url):
    if request.param == "cached":
        hawker.fetch_until_stored(url)
    return request.param


RANGES = {
    "first": ("0-99", 0, 100),
    "middle": (f"{5 * MIB}-{6 * MIB}", 5 * MIB, 6 * MIB + 1),
    "across pieces": (f"{4 * MIB - 10}-{4 * MIB + 9}", 4 * MIB - 10, 4 * MIB + 10),
    "suffix": ("-77", SIZE - 77, SIZE),
    "open": (f"{8 * MIB}-", 8 * MIB, SIZE),
    "beyond the end": (f"{8 * MIB}-{SIZE + 100}", 8 * MIB, SIZE),
    "last byte": (f"{SIZE - 1}-{SIZE - 1}", SIZE - 1, SIZE),
    "longer suffix than there is": (f"-{SIZE + 5}", 0, SIZE),
}


@pytest.mark.parametrize("name", RANGES)
def test_a_range_is_exactly_that_range(curl, blob, url, warmth, name):
    field, start, stop = RANGES[name]
    assert curl.body(url, "-r", field) == blob.content.bytes(start, stop)
    heads = curl.heads(url, "-r", field)
    assert heads["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert heads["content-length"] == str(stop - start)


def test_several_ranges_come_as_multipart(curl, blob, url, warmth):
    wanted = [(0, 100), (5 * MIB, 5 * MIB + 50), (SIZE - 10, SIZE)]
    field = ",".join(f"{start}-{stop - 1}" for start, stop in wanted)
    heads = curl.heads(url, "-r", field)
    assert curl.status(url, "-r", field) == 206
    assert "content-range" not in heads
    body = curl.body(url, "-r", field)
    assert body
    # curl asks three times; each answer has a boundary of its own.
    heads, _, body = curl.run("-i", "-r", field, url).stdout.partition(b"\r\n\r\n")
    message = email.message_from_bytes(heads.split(b"\r\n", 1)[1] + b"\r\n\r\n" + body, policy=email.policy.HTTP)
    assert message.get_content_type() == "multipart/byteranges"
    boundary = message.get_boundary().encode()
    parts = body.split(b"--" + boundary)[1:-1]
    assert len(parts) == len(wanted)
    for part, (start, stop) in zip(parts, wanted):
        part_heads, _, data = part.partition(b"\r\n\r\n")
        assert f"bytes {start}-{stop - 1}/{SIZE}".encode() in part_heads
        assert data.removesuffix(b"\r\n") == blob.content.bytes(start, stop)


def test_a_range_beyond_the_object_is_a_416_with_its_size(curl, url, warmth):
    assert curl.status(url, "-r", f"{SIZE}-") == 416
    assert curl.heads(url, "-r", f"{SIZE}-")["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("field", ["bytes=abc", "lines=1-2", "bytes=5-2", "bytes 0-5"])
def test_a_range_that_means_nothing_is_ignored(curl, blob, url, warmth, field):
    assert curl.status(url, "-H", f"Range: {field}") == 200
    assert curl.body(url, "-H", f"Range: {field}") == blob.content.bytes()


def test_a_range_of_a_cold_object_fetches_only_what_is_missing(origin, curl):
    blob = origin.add("/shared/large", Content(64 * MIB))
    curl.body(origin.url("/shared/large"), "-r", f"{40 * MIB}-{41 * MIB - 1}")
    # Nobody asked for the rest; the fetch of what was asked for may end on a piece boundary.
    eventually(lambda: blob.active == 0, "the origin is quiet")
    assert curl.body(origin.url("/shared/large"), "-r", f"{40 * MIB}-{41 * MIB - 1}") == blob.content.bytes(40 * MIB, 41 * MIB)
    whole = curl.body(origin.url("/shared/large"))
    assert whole == blob.content.bytes()
    assert blob.bytes_sent <= 1.07 * blob.content.size


def test_a_range_of_an_object_that_is_being_filled(hawker, curl, origin):
    blob = origin.add("/shared/filling", Content(24 * MIB)).fault(paced(24 * MIB))
    with hawker.connect() as first:
        first.request("GET", origin.url("/shared/filling"))
        first.response(most=1 * MIB)
        assert curl.body(origin.url("/shared/filling"), "-r", "100-199") == blob.content.bytes(100, 200)
        assert curl.body(origin.url("/shared/filling"), "-r", "-100") == blob.content.bytes(24 * MIB - 100)


def test_resuming_a_broken_download_gives_the_whole(hawker, curl, blob, url, warmth):
    part = curl.folder / "part"
    part.write_bytes(blob.content.bytes(0, 3 * MIB + 17))
    curl.run("-C", "-", "-o", part, url)
    assert sha256_of(part) == blob.content.sha256()


def test_resuming_when_the_origin_breaks_too(hawker, curl, blob, url):
    blob.fault(truncated(2 * MIB), times=2)
    part = curl.folder / "part"
    part.write_bytes(blob.content.bytes(0, 1 * MIB))
    curl.run("-C", "-", "-o", part, url)
    assert sha256_of(part) == blob.content.sha256()


def test_head_tells_size_and_validators_without_a_body(curl, blob, url, warmth):
    heads = curl.heads(url, "-I")
    assert (heads["content-length"], heads["etag"]) == (str(SIZE), blob.etag)
    assert heads["accept-ranges"] == "bytes"
    assert heads["last-modified"]


def test_conditions_are_answered_from_the_cache(hawker, curl, blob, url):
    hawker.fetch_until_stored(url)
    before = len(blob.requests)
    modified = curl.heads(url)["last-modified"]
    assert curl.status(url, "-H", f"If-None-Match: {blob.etag}") == 304
    assert curl.status(url, "-H", f'If-None-Match: "other", W/{blob.etag}') == 304
    assert curl.status(url, "-H", "If-None-Match: *") == 304
    assert curl.status(url, "-H", 'If-None-Match: "other"') == 200
    assert curl.status(url, "-H", f"If-Modified-Since: {modified}") == 304
    assert curl.status(url, "-H", "If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT") == 200
    # If-None-Match is asked first (RFC 9110 section 13.2.2).
    assert curl.status(url, "-H", f"If-Modified-Since: {modified}", "-H", 'If-None-Match: "other"') == 200
    assert len(blob.requests) == before


def test_conditions_on_a_cold_object_are_right_too(curl, blob, url):
    assert curl.status(url, "-H", f"If-None-Match: {blob.etag}") in (200, 304)
    assert curl.status(url, "-H", 'If-None-Match: "other"') == 200
    assert curl.body(url) == blob.content.bytes()


def test_if_range_cuts_when_it_matches_and_gives_the_whole_when_not(curl, blob, url, warmth):
    assert curl.body(url, "-r", "0-9", "-H", f"If-Range: {blob.etag}") == blob.content.bytes(0, 10)
    assert curl.status(url, "-r", "0-9", "-H", 'If-Range: "other"') == 200
    assert curl.body(url, "-r", "0-9", "-H", 'If-Range: "other"') == blob.content.bytes()
    assert curl.status(url, "-r", "0-9", "-H", f"If-Range: W/{blob.etag}") == 200


def test_http_1_0_clients_are_served(curl, blob, url, warmth):
    assert curl.body(url, "--http1.0") == blob.content.bytes()


def test_https_goes_through_the_tunnel_unseen(start_hawker, nginx, tmp_path, authority):
    hawker = start_hawker({"destinations.connect_ports": ["443", str(nginx.tls_port)]})
    curl = Curl(tmp_path, hawker, authority)
    content = Content(20 * MIB)
    nginx.add("/model.bin", content)
    for _ in range(2):
        curl.run("-f", "-o", "out", nginx.signed_url("/model.bin", scheme="https"))
        assert sha256_of(tmp_path / "out") == content.sha256()
    eventually(lambda: nginx.bytes_sent("/model.bin") == 2 * content.size, "both in the server's log")
    hawker.exchange(f"127.0.0.1:{nginx.tls_port}", source="tunnel")


def test_signed_urls_of_nginx_are_hits_whatever_their_signature(start_hawker, nginx, tmp_path, authority):
    rules = [{"name": "nginx", "match": r"^http://127\.0\.0\.1:\d+/.*\.bin", "key": {"strip": ["md5", "expires"]},
              "policy": "immutable", "access": "verify"}]
    hawker = start_hawker(rules=rules)
    curl = Curl(tmp_path, hawker, authority)
    content = Content(20 * MIB)
    nginx.add("/model.bin", content)
    for ttl in (3600, 3601, 3602):
        curl.run("-f", "-o", "out", nginx.signed_url("/model.bin", ttl=ttl))
        assert sha256_of(tmp_path / "out") == content.sha256()
    assert curl.status(nginx.url("/model.bin")) == 403
    assert curl.status(nginx.signed_url("/model.bin", ttl=-60)) == 410
    eventually(lambda: content.size <= nginx.bytes_sent("/model.bin") <= content.size + 4 * KIB, "one transfer")

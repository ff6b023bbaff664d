"""The fakes are tested too: without the daemon, clients straight against the servers."""

import subprocess
import threading

import pytest

from harness import raw
from harness.content import KIB, MIB, Content
from harness.origin_answer import chunked, empty_partial, paced, reset, stalled, status, truncated, wrong_content_range
from harness.waiting import eventually


def ask(origin, path, method="GET", query="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with raw.Connection(("127.0.0.1", origin.port)) as connection:
        connection.request(method, path + (f"?{query}" if query else ""), named)
        return connection.response(method)


def test_any_range_of_the_content_is_a_slice_of_the_whole():
    content = Content(3 * MIB + 17)
    whole = content.bytes()
    assert len(whole) == content.size
    for start, stop in ((0, 1), (1 * MIB - 1, 2 * MIB + 5), (3 * MIB, content.size)):
        assert content.bytes(start, stop) == whole[start:stop]
    assert whole[:MIB] != whole[MIB : 2 * MIB]


def test_the_origin_serves_ranges_and_validators(origin):
    body = origin.add("/a", Content(1 * MIB))
    assert ask(origin, "/a").sha256 == body.content.sha256()
    part = ask(origin, "/a", Range="bytes=10-19")
    assert (part.status, part.body) == (206, body.content.bytes(10, 20))
    assert part.header("Content-Range") == f"bytes 10-19/{1 * MIB}"
    assert ask(origin, "/a", Range="bytes=-5").body == body.content.bytes(1 * MIB - 5)
    assert ask(origin, "/a", Range=f"bytes={1 * MIB}-").status == 416
    assert ask(origin, "/a", If_None_Match=body.etag).status == 304
    assert ask(origin, "/a", Range="bytes=0-1", If_Range='"other"').status == 200
    assert ask(origin, "/a", "HEAD").length == 0
    assert body.bytes_sent == 2 * MIB + 10 + 5


def test_the_origin_refuses_bad_expired_and_revoked_signatures(origin):
    origin.add("/s", Content(10), signed=True)
    good = origin.signer.query("/s")
    assert ask(origin, "/s", query=good).status == 200
    assert ask(origin, "/s").status == 403
    assert ask(origin, "/s", query=origin.signer.query("/s", ttl=-1)).status == 403
    assert ask(origin, "/s", query=origin.signer.query("/other")).status == 403
    assert ask(origin, "/s", query=origin.signer.foreign_query("/s")).status == 403
    origin.signer.revoke(good)
    assert ask(origin, "/s", query=good).status == 403


@pytest.mark.parametrize("fault", [truncated(100 * KIB), reset(100 * KIB)])
def test_a_cut_answer_ends_early(origin, fault):
    origin.add("/t", Content(1 * MIB)).fault(fault, times=1)
    cut = ask(origin, "/t")
    assert not cut.complete
    assert cut.length <= 100 * KIB
    assert ask(origin, "/t").complete


def test_a_stalled_answer_goes_on_when_it_is_told(origin):
    go_on = threading.Event()
    body = origin.add("/t", Content(1 * MIB)).fault(stalled(100 * KIB, go_on))
    with raw.Connection(("127.0.0.1", origin.port)) as connection:
        connection.request("GET", "/t")
        eventually(lambda: body.bytes_sent == 100 * KIB, "the stall")
        go_on.set()
        assert connection.response().sha256 == body.content.sha256()


def test_other_faults_look_as_they_should(origin):
    body = origin.add("/f", Content(1 * MIB))
    for bend, check in (
        (chunked(), lambda r: r.header("Content-Length") is None and r.sha256 == body.content.sha256()),
        (status(503, Retry_After="1"), lambda r: r.status == 503 and r.header("Retry-After") == "1"),
        (wrong_content_range(), lambda r: r.header("Content-Range") == f"bytes 11-20/{1 * MIB}"),
        (empty_partial(), lambda r: r.status == 206 and r.length == 0),
        (paced(100 * MIB), lambda r: r.status == 206 and r.length == 10),
    ):
        body.fault(bend, times=1)
        assert check(ask(origin, "/f", Range="bytes=10-19"))


def test_curl_reads_the_tls_origin(tls_origin, authority):
    tls_origin.add("/x", Content(1 * MIB))
    out = subprocess.run(["curl", "-sf", "--noproxy", "*", "--cacert", authority.ca_file, tls_origin.url("/x")],
                         capture_output=True, check=True)
    assert out.stdout == Content(1 * MIB).bytes()


def test_git_lfs_clones_straight_from_the_lfs_server(lfs_server, git):
    weights = Content(2 * MIB, seed=5)
    lfs_server.create({"weights.bin": weights})
    clone = git.clone(lfs_server.repo)
    assert (clone / "weights.bin").read_bytes() == weights.bytes()
    assert lfs_server.object(weights).bytes_sent == weights.size


def test_nginx_checks_its_signed_urls(nginx, authority):
    content = Content(100 * KIB)
    nginx.add("/model.bin", content)

    def curl(url):
        done = subprocess.run(["curl", "-s", "--noproxy", "*", "--cacert", authority.ca_file, "-w", "%{http_code}", "-o",
                               nginx.folder / "out", url], capture_output=True, text=True, check=True)
        return done.stdout

    assert curl(nginx.signed_url("/model.bin")) == "200"
    assert curl(nginx.signed_url("/model.bin", scheme="https")) == "200"
    assert (nginx.folder / "out").read_bytes() == content.bytes()
    assert curl(nginx.url("/model.bin")) == "403"
    assert curl(nginx.signed_url("/model.bin", ttl=-5)) == "410"
    assert nginx.bytes_sent("/model.bin") == 2 * content.size

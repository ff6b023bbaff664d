"""`kind: generic`: a listener that clients take for the origin, with upstreams that stand in for each other."""

import socket
import threading

import pytest

from harness import origin_answer as answers
from harness.content import KIB, MIB, Content
from harness.mirror_client import MirrorClient, restarted, stored
from harness.secrets import plant
from harness.upstream_proxy import UpstreamProxy
from harness.waiting import stretched

BODY = Content(300 * KIB)


@pytest.fixture
def start_mirror(start_hawker):
    """start_mirror(origin, other, offline=True): a mirror of these origins, and the daemon."""

    def start(*upstreams, hawker_options=None, **keys):
        urls = [each if isinstance(each, str) else each.url("") for each in upstreams]
        mirror = {"listen": "127.0.0.1:0", "kind": "generic", "upstreams": urls, **keys}
        hawker = start_hawker({"mirrors": [mirror], "fetch.connections": 1, **(hawker_options or {})})
        return MirrorClient(hawker.mirrors[0]), hawker

    return start


@pytest.fixture
def dead_url():
    """Where nobody listens: the port is taken, and not open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_an_origin_form_request_is_cached_as_if_it_came_through_the_proxy(start_mirror, origin):
    model = origin.add("/shared/blob", BODY)
    mirror, hawker = start_mirror(origin)
    assert stored(hawker, mirror.get("/shared/blob")).body == BODY.bytes()
    assert mirror.get("/shared/blob").body == BODY.bytes()
    assert hawker.fetch(origin.url("/shared/blob")).cache_status["hit"], "both ways in lead to one task"
    assert len(model.gets) == 1


def test_ranges_and_head_are_answered_from_what_is_there(start_mirror, origin):
    origin.add("/shared/blob", BODY)
    mirror, hawker = start_mirror(origin)
    stored(hawker, mirror.get("/shared/blob"))
    part = mirror.get("/shared/blob", Range="bytes=7-99")
    assert (part.status, part.body) == (206, BODY.bytes(7, 100))
    assert mirror.head("/shared/blob").header("Content-Length") == str(BODY.size)


def test_what_no_rule_speaks_of_passes(start_mirror, origin):
    seen = []
    origin.add_handler("/api/thing", lambda request, answer: seen.append(request))
    mirror, _ = start_mirror(origin)
    assert mirror.request("POST", "/api/thing?a=b", body=b"hello").status == 200
    assert (seen[0].method, seen[0].body_bytes) == ("POST", 5)
    assert seen[0].header("Host") == origin.host


def test_redirects_to_the_upstream_come_back_to_the_mirror(start_mirror, origin):
    origin.add("/old", BODY).fault(answers.redirect(origin.url("/new?a=b")))
    origin.add("/away", BODY).fault(answers.redirect("http://elsewhere.example/x"))
    mirror, _ = start_mirror(origin)
    mirror.name = "mirror.example:8090"
    assert mirror.get("/old").header("Location") == "http://mirror.example:8090/new?a=b"
    assert mirror.get("/away").header("Location") == "http://elsewhere.example/x"


def test_a_path_before_the_upstreams_own_is_kept(start_mirror, origin):
    origin.add("/base/shared/blob", BODY)
    mirror, _ = start_mirror(origin.url("/base/"))
    assert mirror.get("/shared/blob").body == BODY.bytes()


@pytest.mark.parametrize("path", ["/shared/blob", "/plain/blob"])
def test_an_upstream_that_is_not_there_is_passed_over(start_mirror, origin, dead_url, path):
    origin.add(path, BODY)
    mirror, _ = start_mirror(dead_url, origin)
    assert mirror.get(path).body == BODY.bytes()


@pytest.mark.parametrize("path", ["/shared/blob", "/plain/blob"])
def test_an_upstream_that_fails_is_passed_over_until_it_is_well_again(start_mirror, origin, other_origin, path):
    sick = origin.add(path, BODY).fault(answers.status(503))
    origin.add("/plain/probe", BODY)
    well = other_origin.add(path, BODY)
    other_origin.add("/plain/probe", BODY)
    mirror, _ = start_mirror(origin, other_origin)
    assert mirror.get(path).body == BODY.bytes()
    assert (len(sick.gets), len(well.gets)) == (1, 1)
    asked = origin.resources["/plain/probe"]
    while not asked.gets:  # it comes back by itself, after its rest
        assert mirror.get("/plain/probe").status == 200


def test_what_the_first_upstream_says_no_to_no_other_is_asked(start_mirror, origin, other_origin):
    origin.add("/plain/x", BODY).fault(answers.status(404))
    other = other_origin.add("/plain/x", BODY)
    mirror, _ = start_mirror(origin, other_origin)
    assert mirror.get("/plain/x").status == 404
    assert not other.requests


def test_an_upstream_that_stalls_in_the_middle_of_a_body_is_replaced_by_the_next(start_mirror, origin, other_origin):
    forever = threading.Event()
    big = Content(4 * MIB)
    origin.add("/shared/big", big, etag='"same"').fault(answers.stalled(1 * MIB, forever))
    other = other_origin.add("/shared/big", big, etag='"same"')
    mirror, _ = start_mirror(origin, other_origin, hawker_options={"origin.stall_timeout": stretched(3000)})
    got = mirror.get("/shared/big")
    forever.set()
    assert got.complete and got.body == big.bytes()
    assert other.bytes_sent < big.size, "what was there already is not asked for again"


def test_all_upstreams_down_is_an_answer_that_says_so(start_mirror, dead_url):
    mirror, _ = start_mirror(dead_url, dead_url)
    assert mirror.get("/plain/x").status == 502


def test_an_upstream_is_reached_through_its_own_proxy(start_mirror, origin):
    origin.add("/shared/blob", BODY)
    proxy = UpstreamProxy(names={"far.example": "127.0.0.1"})
    exception = {"hosts": ["far.example"], "proxy": proxy.url}
    mirror, _ = start_mirror(f"http://far.example:{origin.port}",
                             hawker_options={"origins": [exception]})
    try:
        assert mirror.get("/shared/blob").body == BODY.bytes()
        assert len(proxy.heads) == 1
    finally:
        proxy.close()


def test_offline_serves_what_is_there_and_says_what_is_not(start_mirror, origin):
    model = origin.add("/shared/blob", BODY)
    mirror, hawker = start_mirror(origin)
    stored(hawker, mirror.get("/shared/blob"))
    mirror = restarted(hawker, offline=True)
    before = len(origin.requests)
    assert mirror.get("/shared/blob").body == BODY.bytes()
    assert mirror.head("/shared/blob").status == 200
    missing = mirror.get("/shared/other")
    assert missing.status == 504 and "offline" in missing.text
    assert mirror.request("POST", "/plain", body=b"x").status == 504
    assert len(origin.requests) == before
    assert len(model.gets) == 1


def test_a_mirrors_own_token_stands_in_for_clients_that_bring_none(start_mirror, origin):
    own, theirs = plant("hf_mirrors_own_token"), plant("hf_clients_own_token")
    seen = []
    origin.add_handler("/plain/x", lambda request, answer: seen.append((request.method, request.header("Authorization"))))
    mirror, _ = start_mirror(origin, token=own)
    mirror.get("/plain/x")
    mirror.get("/plain/x", Authorization=f"Bearer {theirs}")
    mirror.request("POST", "/plain/x", body=b"x")
    assert seen == [("GET", f"Bearer {own}"), ("GET", f"Bearer {theirs}"), ("POST", None)], "it never writes"


@pytest.mark.parametrize("path", ["/plain/session", "/http/session"])
def test_the_session_that_a_mirrors_own_token_begins_is_no_clients(start_mirror, origin, path):
    told = {"Cache-Control": 'public, max-age=600, no-cache="Set-Cookie"', "Set-Cookie": "session=ours"}
    origin.add(path, BODY, headers=told)
    mirror, _ = start_mirror(origin, token=plant("hf_mirrors_own_token"))
    for _ in range(2):
        answer = mirror.get(path)
        assert answer.body == BODY.bytes() and answer.header("Set-Cookie") is None


def test_a_mirror_opens_no_tunnel_and_takes_absolute_targets_for_its_own(start_mirror, origin):
    origin.add("/shared/blob", BODY)
    mirror, _ = start_mirror(origin)
    refused = mirror.request("CONNECT", origin.host)
    assert refused.status == 405 and "https_proxy" in refused.text
    assert mirror.get("http://elsewhere.example/shared/blob").body == BODY.bytes()


@pytest.mark.parametrize(("method", "goes_on"), [("POST", False), ("PATCH", False), ("GET", True), ("PUT", True), ("DELETE", True)])
def test_what_an_upstream_may_have_done_is_not_asked_of_another(start_mirror, origin, other_origin, method, goes_on):
    origin.add("/plain/upload").fault(answers.status(504))
    second = other_origin.add("/plain/upload")
    mirror, _ = start_mirror(origin, other_origin)
    mirror.request(method, "/plain/upload")
    assert len(second.requests) == (1 if goes_on else 0)


def test_who_was_not_reached_has_done_nothing(start_mirror, dead_url, origin):
    upload = origin.add("/plain/upload")
    mirror, _ = start_mirror(dead_url, origin)
    mirror.request("POST", "/plain/upload")
    assert len(upload.requests) == 1

"""How origins are reached: verified TLS and its exceptions, client certificates, upstream proxies, DNS overrides."""

import os
import pathlib
import socket
import subprocess
import threading

import pytest

from harness import daemon
from harness.certificates import Authority
from harness.content import MIB, Content, Text
from harness.crowd import Crowd
from harness.origin import Origin
from harness.origin_answer import stalled
from harness.signing import CANARY
from harness.upstream_proxy import UpstreamProxy
from harness.waiting import eventually

PASSWORD = CANARY + "-proxy"
NAME = r"^https?://origin\.test:\d+/cached/"
RULE = {"name": "cached", "match": NAME, "policy": "immutable", "access": "shared"}


def connect(hawker, authority):
    client = hawker.connect(timeout=20)
    client.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
    return client, client.response("CONNECT")


def connect_status(hawker, authority):
    client, answer = connect(hawker, authority)
    client.close()
    return answer.status


@pytest.fixture
def strange_origin(tmp_path):
    """Its certificate was signed by nobody we know."""
    folder = tmp_path / "strange"
    folder.mkdir()
    authority = Authority(folder)
    server = Origin(tls=authority.server_context())
    server.authority = authority
    yield server
    server.close()


@pytest.fixture
def start_proxy():
    running = []

    def start(**options):
        running.append(UpstreamProxy({"origin.test": "127.0.0.1"}, **options))
        return running[-1]

    yield start
    for proxy in running:
        proxy.close()


@pytest.fixture
def credentials(tmp_path):
    def write(text):
        file = tmp_path / "credentials"
        file.write_text(text + "\n")
        file.chmod(0o600)
        return str(file)

    return write


# Certificates -----------------------------------------------------------------------------------------------------------


def tls_url(origin, path):
    return origin.url(path, scheme="http")  # the rule for /tls/ turns it into https://


def test_an_origin_that_nobody_vouches_for_is_a_502(hawker, strange_origin):
    strange_origin.add("/tls/x")
    answer = hawker.fetch(tls_url(strange_origin, "/tls/x"))
    assert answer.status == 502
    assert "tls_certificate_error" in answer.header("Proxy-Status")
    assert not strange_origin.requests


def test_an_authority_may_be_trusted_for_single_hosts(start_hawker, strange_origin):
    blob = strange_origin.add("/tls/x", Text(b"here"))
    hawker = start_hawker({"origins": [{"hosts": ["127.0.0.1"], "ca_file": str(strange_origin.authority.ca_file)}]})
    assert hawker.fetch(tls_url(strange_origin, "/tls/x")).body == blob.content.bytes()


def test_an_authority_for_one_host_is_none_for_another(start_hawker, strange_origin):
    strange_origin.add("/tls/x")
    hawker = start_hawker({"origins": [{"hosts": ["*.example"], "ca_file": str(strange_origin.authority.ca_file)}]})
    assert hawker.fetch(tls_url(strange_origin, "/tls/x")).status == 502


def test_insecure_is_an_exception_that_is_warned_of(start_hawker, strange_origin):
    blob = strange_origin.add("/tls/x", Text(b"here"))
    hawker = start_hawker({"origins": [{"hosts": ["127.0.0.1"], "insecure": True}]})
    assert hawker.fetch(tls_url(strange_origin, "/tls/x")).body == blob.content.bytes()
    hawker.log_line(r"insecure: .* pretend to be 127\.0\.0\.1")
    hawker.reload()
    eventually(lambda: hawker.log().count("pretend to be") == 2, "a warning after the reload")


def test_nginx_sees_our_certificate_where_it_is_configured(start_hawker, nginx, authority):
    nginx.add("/known/x", Content(1 * MIB))
    url = f"http://127.0.0.1:{nginx.tls_port}/known/x"
    rules = [{"name": "known", "match": "^https?://127.0.0.1:.*/known/", "origin_scheme": "https", "policy": "immutable",
              "access": "shared"}]
    stranger = start_hawker(rules=rules)
    assert stranger.fetch(url).status == 403
    known = start_hawker({"origins": [{"hosts": ["127.0.0.1"], "client_certificate": str(authority.certificate),
                                       "client_key": str(authority.key)}]}, rules)
    answer = known.fetch(url)
    assert (answer.status, answer.sha256) == (200, Content(1 * MIB).sha256())


def check(hawker):
    command = [str(daemon.BINARY), "--check", "--config", str(hawker.config)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_key_of_another_certificate_is_refused_at_the_check(start_hawker, strange_origin, authority):
    hawker = start_hawker()
    hawker.options["origins"] = [{"hosts": ["a.example"], "client_certificate": str(authority.certificate),
                                  "client_key": str(strange_origin.authority.key)}]
    hawker.write_config()
    result = check(hawker)
    assert result.returncode == 2
    assert "not the key" in result.stderr and "hawker.yaml:" in result.stderr


# Names ------------------------------------------------------------------------------------------------------------------


def test_an_override_holds_for_fetches_pass_through_and_tunnels(start_hawker, origin):
    hawker = start_hawker({"origin.hosts": ["origin.test=127.0.0.1"], "destinations.connect_ports": [str(origin.port)]},
                          [RULE])
    origin.add("/cached/x", Text(b"cached"))
    origin.add("/plain", Text(b"plain"))
    assert hawker.fetch(f"http://origin.test:{origin.port}/cached/x").body == b"cached"
    assert hawker.fetch(f"http://origin.test:{origin.port}/plain").body == b"plain"
    assert connect_status(hawker, f"origin.test:{origin.port}") == 200


def test_an_origin_may_be_at_another_address_than_dns_says(start_hawker, origin):
    origin.add("/plain", Text(b"plain"))
    hawker = start_hawker({"origins": [{"hosts": ["*.test"], "connect_to": ["127.0.0.9", "127.0.0.1"]}]})
    assert hawker.fetch(f"http://a.test:{origin.port}/plain").body == b"plain"


def test_a_source_address_holds_for_requests_and_tunnels(start_hawker, origin):
    seen = []
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    hawker = start_hawker({"origin.source_address": ["127.0.0.9"], "destinations.connect_ports": [str(port)]})
    client, answer = connect(hawker, f"127.0.0.1:{port}")
    far, peer = listener.accept()
    seen.append(peer[0])
    for each in (client, far):
        each.close()
    assert answer.status == 200
    with hawker.connect() as plain:
        plain.request("GET", f"http://127.0.0.1:{port}/x")
        far, peer = listener.accept()
        seen.append(peer[0])
        far.close()
    listener.close()
    assert seen == ["127.0.0.9", "127.0.0.9"]


# Places at an origin ---------------------------------------------------------------------------------------------------


def test_requests_beyond_the_places_of_an_origin_wait_their_turn(start_hawker, origin, other_origin):
    hawker = start_hawker({"origin.connections_per_host": 2, "threads": 4})
    go_on = threading.Event()
    blob = origin.add("/plain", Content(1 * MIB)).fault(stalled(1000, go_on))
    other_origin.add("/plain", Text(b"elsewhere"))
    crowd = Crowd()
    for _ in range(12):
        crowd.start(lambda: hawker.fetch(origin.url("/plain")))
    eventually(lambda: len(blob.requests) == 2, "two requests")
    for _ in range(50):  # time for a third one to come, if it would
        assert hawker.fetch(other_origin.url("/plain")).body == b"elsewhere"
    assert len(blob.requests) == 2
    go_on.set()
    assert all(answer.sha256 == blob.content.sha256() for answer in crowd.join())


def test_a_request_that_finds_no_place_is_told_when_to_come_back(start_hawker, origin, other_origin):
    hawker = start_hawker({"origin.connections_per_host": 1, "origin.queue_per_host": 0, "threads": 2})
    go_on = threading.Event()
    origin.add("/plain", Content(1 * MIB)).fault(stalled(1000, go_on))
    other_origin.add("/plain", Text(b"elsewhere"))
    with hawker.connect() as first:
        first.request("GET", origin.url("/plain"))
        eventually(lambda: origin.requests, "the first request")
        answer = hawker.fetch(origin.url("/plain"))
        assert answer.status == 503 and int(answer.header("Retry-After")) > 0
        assert "origin.connections_per_host" in answer.text
        assert hawker.fetch(other_origin.url("/plain")).body == b"elsewhere"
        go_on.set()
        assert first.response().length == 1 * MIB


def test_the_parts_of_one_fetch_leave_room_for_the_next_one(start_hawker, origin):
    hawker = start_hawker({"origin.connections_per_host": 4, "fetch.connections": 16, "threads": 2})
    go_on = threading.Event()
    large = origin.add("/shared/large", Content(64 * MIB))
    large.fault(stalled(100_000, go_on))
    small = origin.add("/shared/small", Text(b"small"))
    crowd = Crowd()
    crowd.start(lambda: hawker.fetch(origin.url("/shared/large")))
    eventually(lambda: large.requests, "the large fetch")
    assert hawker.fetch(origin.url("/shared/small")).body == small.content.bytes()
    go_on.set()
    assert crowd.join()[0].sha256 == large.content.sha256()


# Upstream proxies -------------------------------------------------------------------------------------------------------


def test_everything_goes_through_an_upstream_proxy(start_hawker, start_proxy, origin, credentials):
    proxy = start_proxy(credentials=f"me:{PASSWORD}")
    hawker = start_hawker({"origin.proxy": proxy.url, "origin.proxy_credentials_file": credentials(f"me:{PASSWORD}"),
                           "destinations.allow": [], "destinations.connect_ports": [str(origin.port)]}, [RULE])
    cached = origin.add("/cached/x", Content(3 * MIB))
    origin.add("/plain", Text(b"plain"))
    for _ in range(2):
        assert hawker.fetch_until_stored(f"http://origin.test:{origin.port}/cached/x").sha256 == cached.content.sha256()
    assert cached.bytes_sent <= 3 * MIB
    assert hawker.fetch(f"http://origin.test:{origin.port}/plain").body == b"plain"
    client, answer = connect(hawker, f"origin.test:{origin.port}")
    assert answer.status == 200
    client.request("GET", "/plain")
    assert client.response().body == b"plain"
    client.close()
    lines = [head.split("\r\n")[0] for head in proxy.heads]
    assert f"GET http://origin.test:{origin.port}/plain HTTP/1.1" in lines
    assert f"CONNECT origin.test:{origin.port} HTTP/1.1" in lines


def test_a_secure_origin_is_verified_through_the_proxy_too(start_hawker, start_proxy, tls_origin, strange_origin):
    proxy = start_proxy()
    hawker = start_hawker({"origin.proxy": proxy.url})
    blob = tls_origin.add("/tls/x", Text(b"here"))
    strange_origin.add("/tls/x")
    assert hawker.fetch(tls_url(tls_origin, "/tls/x")).body == blob.content.bytes()
    assert hawker.fetch(tls_url(strange_origin, "/tls/x")).status == 502
    assert proxy.heads[0].startswith(f"CONNECT 127.0.0.1:{tls_origin.port} ")


@pytest.mark.parametrize("given", [f"me:{PASSWORD}-wrong", None])
def test_a_proxy_that_does_not_let_us_in_is_a_502_that_names_it(start_hawker, start_proxy, origin, tls_origin, credentials,
                                                                given):
    proxy = start_proxy(credentials=f"me:{PASSWORD}")
    options = {"origin.proxy": proxy.url, "destinations.connect_ports": [str(origin.port)]}
    if given:
        options["origin.proxy_credentials_file"] = credentials(given)
    hawker = start_hawker(options)
    client, answer = connect(hawker, f"127.0.0.1:{origin.port}")
    client.close()
    answers = [answer, hawker.fetch(origin.url("/plain")), hawker.fetch(origin.url("/shared/x")),
               hawker.fetch(tls_url(tls_origin, "/tls/x"))]
    for each in answers:
        assert each.status == 502, each
        assert f"upstream proxy http://127.0.0.1:{proxy.port}" in each.text
        assert "origin.proxy_credentials_file" in each.text
        assert CANARY not in each.text and each.header("Proxy-Authenticate") is None


def test_what_the_proxy_refuses_is_a_502(start_hawker, start_proxy, tls_origin):
    proxy = start_proxy()
    proxy.refuse_with = "403 Forbidden"
    hawker = start_hawker({"origin.proxy": proxy.url, "destinations.connect_ports": [str(tls_origin.port)]})
    client, answer = connect(hawker, f"127.0.0.1:{tls_origin.port}")
    client.close()
    for each in (answer, hawker.fetch(tls_url(tls_origin, "/tls/x"))):
        assert each.status == 502 and f"upstream proxy {proxy.url} refuses" in each.text, each


def test_a_proxy_that_is_not_there_is_a_502_that_names_it(start_hawker, origin):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        hawker = start_hawker({"origin.proxy": url, "destinations.connect_ports": [str(origin.port)]})
        client, answer = connect(hawker, f"127.0.0.1:{origin.port}")
        client.close()
        for each in (answer, hawker.fetch(origin.url("/plain"))):
            assert each.status == 502 and f"upstream proxy {url}" in each.text, each


def test_bytes_behind_the_proxys_answer_belong_to_the_client(start_hawker, start_proxy, origin):
    proxy = start_proxy()
    proxy.greeting = b"220 hello\r\n"
    hawker = start_hawker({"origin.proxy": proxy.url, "destinations.connect_ports": [str(origin.port)]})
    client, answer = connect(hawker, f"origin.test:{origin.port}")
    assert answer.status == 200
    assert client.read_some(11) == b"220 hello\r\n"
    client.close()


def test_no_proxy_and_none_lead_around_the_proxy(start_hawker, start_proxy, origin, other_origin):
    proxy = start_proxy()
    hawker = start_hawker({"origin.proxy": proxy.url, "origin.no_proxy": ["127.0.0.0/8", "near.test"],
                           "origin.hosts": ["near.test=127.0.0.1", "lab.test=127.0.0.1"],
                           "origins": [{"hosts": ["lab.test"], "proxy": "none"}],
                           "destinations.connect_ports": [str(origin.port)]})
    origin.add("/plain", Text(b"plain"))
    for host in ("127.0.0.1", "near.test", "lab.test"):
        assert hawker.fetch(f"http://{host}:{origin.port}/plain").body == b"plain"
        assert connect_status(hawker, f"{host}:{origin.port}") == 200
    assert not proxy.heads
    assert hawker.fetch(f"http://origin.test:{origin.port}/plain").body == b"plain"
    assert len(proxy.heads) == 1


def test_another_hawker_is_a_good_upstream_proxy(start_hawker, origin):
    parent = start_hawker({"origin.hosts": ["origin.test=127.0.0.1"], "destinations.connect_ports": [str(origin.port)]}, [RULE])
    child = start_hawker({"origin.proxy": parent.proxy_url, "destinations.connect_ports": [str(origin.port)]}, [RULE])
    blob = origin.add("/cached/x", Content(5 * MIB))
    for hawker in (child, parent):
        assert hawker.fetch_until_stored(f"http://origin.test:{origin.port}/cached/x").sha256 == blob.content.sha256()
    assert blob.bytes_sent <= 5 * MIB
    client, answer = connect(child, f"origin.test:{origin.port}")
    assert answer.status == 200
    client.request("GET", "/cached/x")
    assert client.response().sha256 == blob.content.sha256()
    client.close()


def test_credentials_are_shown_nowhere(start_hawker, start_proxy):
    proxy = start_proxy()
    url = f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}"
    hawker = start_hawker({"origin.proxy": url, "log.level": "debug"})
    assert hawker.fetch("http://origin.test:1/x").status == 502
    command = [str(daemon.BINARY), "--print-config", "--config", str(hawker.config)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "origin.proxy = (set)" in printed
    assert CANARY not in printed + hawker.log()


def test_a_credentials_file_that_others_can_read_is_refused(start_hawker, credentials):
    hawker = start_hawker()
    file = pathlib.Path(credentials(f"me:{PASSWORD}"))
    os.chmod(file, 0o644)
    hawker.options.update({"origin.proxy": "http://127.0.0.1:1", "origin.proxy_credentials_file": str(file)})
    hawker.write_config()
    result = check(hawker)
    assert result.returncode == 2 and f"chmod 600 {file}" in result.stderr and CANARY not in result.stderr

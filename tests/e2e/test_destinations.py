"""Where the proxy may go: hosts, ports and addresses; redirects, rebinding names and odd spellings lead nowhere else."""

import pytest

from harness.content import Text
from harness.origin_answer import redirect
from harness.upstream_proxy import UpstreamProxy
from harness.waiting import eventually

FOLLOW = {"name": "follow", "match": r"^https?://[^/]+/follow/", "policy": "immutable", "access": "shared",
          "follow_redirects": True}
SHARED = {"name": "shared", "match": r"^https?://[^/]+/shared/", "policy": "immutable", "access": "shared"}
ONLY_ONE = {"destinations.allow": ["127.0.0.1/32"]}
METADATA = ["169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fd00:ec2::254]",
            "100.100.100.200", "168.63.129.16"]


def connect(hawker, authority):
    with hawker.connect() as client:
        client.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
        return client.response("CONNECT")


def every_way(hawker, authority):
    """The answers to a tunnel, a request that is passed through, and a fetch."""
    return [connect(hawker, authority), hawker.fetch(f"http://{authority}/plain"), hawker.fetch(f"http://{authority}/shared/x")]


@pytest.mark.parametrize("host", METADATA)
def test_metadata_services_are_denied_in_every_spelling(start_hawker, host):
    hawker = start_hawker({"destinations.allow": [], "destinations.connect_ports": ["80"]}, [SHARED])
    for answer in every_way(hawker, f"{host}:80"):
        assert answer.status == 403
        assert "destinations.allow" in answer.text


@pytest.mark.parametrize("target", ["127.0.0.2", "169.254.169.254", "[::1]", "[::ffff:7f00:2]", "rebound.test"])
def test_a_redirect_leads_to_no_forbidden_address(start_hawker, origin, target):
    hawker = start_hawker({**ONLY_ONE, "origin.hosts": ["rebound.test=127.0.0.2"]}, [FOLLOW])
    origin.add("/follow/x").fault(redirect(f"http://{target}:{origin.port}/follow/y"))
    answer = hawker.fetch(origin.url("/follow/x"))
    assert answer.status == 403
    assert "destination_ip_prohibited" in answer.header("Proxy-Status") or "destinations.allow" in answer.text
    assert len(origin.requests) == 1


@pytest.mark.parametrize("target", ["evil.test", "EVIL.test.", "%65vil.test"])
def test_a_redirect_leads_to_no_forbidden_host(start_hawker, origin, target):
    hawker = start_hawker({"destinations.deny_hosts": ["evil.test"], "origin.hosts": ["evil.test=127.0.0.1"]}, [FOLLOW])
    origin.add("/follow/x").fault(redirect(f"http://{target}:{origin.port}/follow/y"))
    origin.add("/follow/y", Text(b"never"))
    answer = hawker.fetch(origin.url("/follow/x"))
    assert answer.body != b"never"
    assert all(request.path != "/follow/y" for request in origin.requests)


def test_of_the_addresses_of_a_name_only_allowed_ones_are_dialled(start_hawker, origin):
    hawker = start_hawker({**ONLY_ONE, "origin.hosts": ["both.test=127.0.0.2", "both.test=127.0.0.1"],
                           "destinations.connect_ports": [str(origin.port)]}, [SHARED])
    origin.add("/plain", Text(b"plain"))
    assert connect(hawker, f"both.test:{origin.port}").status == 200
    assert hawker.fetch(f"http://both.test:{origin.port}/plain").body == b"plain"


def test_a_name_that_moves_to_a_forbidden_address_is_refused_at_once(start_hawker, origin):
    """Not even the connections that were made before are used."""
    hawker = start_hawker({**ONLY_ONE, "origin.hosts": ["moving.test=127.0.0.1"], "threads": 1}, [])
    origin.add("/plain", Text(b"plain"))
    url = f"http://moving.test:{origin.port}/plain"
    assert hawker.fetch(url).body == b"plain"
    hawker.options["origin.hosts"] = ["moving.test=127.0.0.2"]
    hawker.write_config()
    hawker.reload()
    hawker.log_line("reloaded")
    eventually(lambda: hawker.fetch(url).status == 403, "the refusal")
    assert len(origin.requests) <= 2


def test_denied_hosts_are_refused_by_name_on_every_way(start_hawker, origin):
    hawker = start_hawker({"destinations.deny_hosts": ["*.evil.test", "127.0.0.1"], "origin.hosts": ["a.evil.test=127.0.0.1"],
                           "destinations.connect_ports": [str(origin.port)]}, [SHARED])
    for host in ("a.evil.test", "A.Evil.Test.", "127.0.0.1"):
        for answer in every_way(hawker, f"{host}:{origin.port}"):
            assert answer.status == 403, answer
            assert "destinations.deny_hosts" in answer.text
    assert not origin.requests


def test_with_a_list_of_allowed_hosts_there_are_no_others(start_hawker, origin):
    names = ["good.test=127.0.0.1", "other.test=127.0.0.1", "bad.good.test=127.0.0.1"]
    hawker = start_hawker({"destinations.allow_hosts": ["good.test", "*.good.test"], "origin.hosts": names,
                           "destinations.deny_hosts": ["bad.good.test"],
                           "destinations.connect_ports": [str(origin.port)]}, [SHARED])
    origin.add("/plain", Text(b"plain"))
    assert hawker.fetch(f"http://good.test:{origin.port}/plain").body == b"plain"
    assert connect(hawker, f"good.test:{origin.port}").status == 200
    for host in ("other.test", "127.0.0.1"):
        for answer in every_way(hawker, f"{host}:{origin.port}"):
            assert answer.status == 403 and "destinations.allow_hosts" in answer.text
    for answer in every_way(hawker, f"bad.good.test:{origin.port}"):
        assert answer.status == 403 and "destinations.deny_hosts" in answer.text


def test_a_host_that_is_allowed_by_name_opens_no_private_address(start_hawker, origin):
    hawker = start_hawker({"destinations.allow": [], "destinations.allow_hosts": ["good.test"],
                           "origin.hosts": ["good.test=127.0.0.1"], "destinations.connect_ports": [str(origin.port)]}, [SHARED])
    for answer in every_way(hawker, f"good.test:{origin.port}"):
        assert answer.status == 403 and "destinations.allow " in answer.text
    assert not origin.requests


def test_ports_of_requests_are_a_list_of_their_own(start_hawker, origin, other_origin):
    hawker = start_hawker({"destinations.ports": [str(origin.port)]}, [SHARED])
    origin.add("/plain", Text(b"plain"))
    assert hawker.fetch(origin.url("/plain")).body == b"plain"
    for path in ("/plain", "/shared/x"):
        answer = hawker.fetch(other_origin.url(path))
        assert answer.status == 403 and "destinations.ports" in answer.text
    assert not other_origin.requests


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "localhost", "a.localhost", "2130706433",
                                  "0x7f.1"])
def test_an_upstream_proxy_is_no_way_around(start_hawker, host):
    proxy = UpstreamProxy()
    hawker = start_hawker({"origin.proxy": proxy.url, "destinations.allow": [], "destinations.connect_ports": ["80"]}, [SHARED])
    for answer in every_way(hawker, f"{host}:80"):
        assert answer.status in (400, 403, 502), answer
    proxy.close()
    assert not proxy.heads


def test_a_denied_host_is_not_asked_of_an_upstream_proxy(start_hawker):
    proxy = UpstreamProxy()
    hawker = start_hawker({"origin.proxy": proxy.url, "destinations.deny_hosts": ["evil.test"],
                           "destinations.connect_ports": ["80"]}, [SHARED])
    for answer in every_way(hawker, "evil.test:80"):
        assert answer.status == 403
    proxy.close()
    assert not proxy.heads

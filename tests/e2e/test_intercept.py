"""Intercepted HTTPS: opened for the hosts that rules name, with a certificate of ours; opaque for everybody else."""

import contextlib
import hashlib
import ssl

import pytest
import requests

from harness.clients import Curl, run, sha256_of
from harness.content import KIB, MIB, Content, Text
from harness.crowd import Crowd
from harness.interception import CDN, OurAuthority, inside, openssl_client, options_for
from harness.origin_answer import truncated
from harness.rules import rule
from harness.waiting import eventually, stretched

NAMED = [rule("cdn", r"^https://files\.hawker\.test(?::\d+)?/", access="verify")]


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    return OurAuthority(tmp_path_factory.mktemp("ours") / "ca")


@pytest.fixture
def intercepting(start_hawker, tls_origin, ours):
    """intercepting({...}, rules): a daemon that opens tunnels to the TLS origin."""

    def start(options=None, rules=None):
        return start_hawker(options_for(tls_origin, ours, **(options or {})), rules=rules)

    return start


@pytest.fixture
def curl(tmp_path, ours):
    return lambda hawker: Curl(tmp_path, hawker, ours)


def named_url(origin, path, signed=True):
    query = "?" + origin.signer.query(path, 3600) if signed else ""
    return f"https://{CDN}:{origin.port}{path}{query}"


def handshakes(hawker, result):
    return hawker.metrics()[f'hawker_tls_handshakes_total{{result="{result}",where="intercept"}}']


# What it is for ----------------------------------------------------------------------------------------------------------


def test_the_second_download_with_another_signature_is_a_hit(intercepting, tls_origin, curl):
    blob = tls_origin.add("/verify/model", Content(20 * MIB), signed=True)
    hawker = intercepting()
    client = curl(hawker)
    for _ in range(2):
        assert hashlib.sha256(client.body(tls_origin.signed_url("/verify/model"))).hexdigest() == blob.content.sha256()
        hawker.wait_until_all_is_stored()
    assert blob.bytes_sent <= blob.content.size + 1  # one byte asks whether the second may
    assert hawker.exchange("/verify/model", source="hit")["rule"] == "verify"
    assert hawker.exchange("127.0.0.1", source="intercept")["method"] == "CONNECT"


def test_the_hosts_of_rules_are_opened_without_being_named_again(start_hawker, tls_origin, ours, curl):
    options = options_for(tls_origin, ours)
    del options["intercept"]
    hawker = start_hawker(options, rules=NAMED)
    tls_origin.add("/model", Content(3 * MIB), signed=True)
    for _ in range(2):
        curl(hawker).body(named_url(tls_origin, "/model"))
        hawker.wait_until_all_is_stored()
    hawker.exchange("/model", source="hit")
    # No rule names this one: its client sees the origin's own certificate.
    assert not hawker.exchanges()[-1]["url"].startswith("127.0.0.1")
    assert "hawker test authority" in openssl_client(hawker, tls_origin.host)


def test_requests_is_served_from_the_cache_with_nothing_but_a_proxy_and_a_bundle(intercepting, tls_origin, ours):
    blob = tls_origin.add("/verify/weights", Content(9 * MIB), signed=True)
    hawker = intercepting()
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": hawker.proxy_url}
        session.verify = str(ours.ca_file)
        for _ in range(3):
            body = session.get(tls_origin.signed_url("/verify/weights"), timeout=60).content
            assert hashlib.sha256(body).hexdigest() == blob.content.sha256()
        part = session.get(tls_origin.signed_url("/verify/weights"), headers={"Range": "bytes=1000-4999"}, timeout=60)
        assert (part.status_code, len(part.content)) == (206, 4000)
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_git_lfs_over_https_needs_no_rewriting(start_hawker, lfs_server, git, ours, tmp_path, authority):
    files = {"weights.bin": Content(12 * MIB, seed=3), "tokens.bin": Content(300 * KIB, seed=4)}
    lfs_server.create(files)
    storage = lfs_server.storage
    name = storage.host.rpartition(":")[0]
    hawker = start_hawker(options_for(storage, ours, intercept=[name]),
                          rules=[rule("lfs", r"^https://[^/]+/lfs/objects/", access="verify")])
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(ours.ca_file.read_bytes() + authority.ca_file.read_bytes())
    git.environment["GIT_SSL_CAINFO"] = str(bundle)
    git.configure("http.proxy", hawker.proxy_url)
    for _ in range(2):
        clone = git.clone(lfs_server.repo)
        for file, content in files.items():
            assert sha256_of(clone / file) == content.sha256()
    assert storage.bytes_sent <= 1.01 * sum(content.size for content in files.values())


def test_concurrent_misses_inside_tunnels_are_one_fetch(intercepting, tls_origin, curl):
    blob = tls_origin.add("/verify/big", Content(16 * MIB), signed=True)
    client = curl(intercepting())
    crowd = Crowd()
    for _ in range(6):
        crowd.start(client.body, tls_origin.signed_url("/verify/big"))
    for body in crowd.join():
        assert hashlib.sha256(body).hexdigest() == blob.content.sha256()
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_a_tunnel_carries_any_number_of_requests(intercepting, tls_origin, ours):
    hawker = intercepting()
    blob = tls_origin.add("/shared/small", Content(100 * KIB))
    with inside(hawker, ours.context(), tls_origin.host) as tunnel:
        for _ in range(5):
            tunnel.request("GET", "/shared/small", {"Host": tls_origin.host})
            assert tunnel.response().sha256 == blob.content.sha256()
        tunnel.request("POST", "/shared/small", {"Host": tls_origin.host}, b"x" * 5000)
        assert tunnel.response().status == 200
        assert blob.requests[-1].body_bytes == 5000
    assert handshakes(hawker, "full") == 1
    kernel, process = (hawker.metrics()[f'hawker_tls_sessions_total{{sends="{who}"}}'] for who in ("kernel", "process"))
    assert kernel + process == 1


def test_a_client_that_speaks_tls_to_the_proxy_too_is_served_from_the_cache(start_hawker, tls_origin, ours, authority, tmp_path):
    blob = tls_origin.add("/verify/nested", Content(5 * MIB), signed=True)
    door = {"address": "127.0.0.1:0", "tls": {"certificate": str(authority.certificate), "key": str(authority.key)}}
    hawker = start_hawker(options_for(tls_origin, ours, listen=[], listeners=[door]))
    for _ in range(2):
        done = run("curl", "-q", "-sS", "--noproxy", "", "--proxy", hawker.proxies[0], "--proxy-cacert", authority.ca_file,
                   "--cacert", ours.ca_file, tls_origin.signed_url("/verify/nested"))
        assert hashlib.sha256(done.stdout).hexdigest() == blob.content.sha256()
    assert blob.bytes_sent <= blob.content.size + 1


def test_an_upload_and_a_redirect_pass_unchanged(intercepting, tls_origin, curl):
    hawker = intercepting()

    def redirect(request, answer):
        answer.become(302, {"Location": "/elsewhere", "Content-Type": "text/plain"}, b"over there")

    tls_origin.add_handler("/moved", redirect)
    assert curl(hawker).heads(tls_origin.url("/moved"))["location"] == "/elsewhere"
    assert curl(hawker).status(tls_origin.url("/moved"), "--upload-file", "/dev/null") == 302


def test_a_body_that_the_origin_cuts_short_is_a_failure_inside_tls_too(intercepting, tls_origin, curl):
    blob = tls_origin.add("/other/cut", Content(2 * MIB))
    blob.fault(truncated(after=1 * MIB), times=20)
    done = curl(intercepting()).run(tls_origin.url("/other/cut"), check=False)
    assert done.returncode in (18, 56)  # partial file, or no close_notify
    assert len(done.stdout) < blob.content.size


# What stays opaque -------------------------------------------------------------------------------------------------------


def test_a_host_that_nothing_names_sees_the_origins_own_certificate(start_hawker, tls_origin, ours, authority):
    hawker = start_hawker(options_for(tls_origin, ours, intercept=["*.elsewhere.test"]))
    with inside(hawker, authority.client_context(), tls_origin.host) as tunnel:
        tls_origin.add("/shared/x", Text(b"through"))
        tunnel.request("GET", "/shared/x", {"Host": tls_origin.host})
        assert tunnel.response().body == b"through"
    assert hawker.exchange("127.0.0.1", source="tunnel")


def test_without_an_authority_every_tunnel_is_opaque_and_the_hint_says_what_to_do(start_hawker, tls_origin, authority):
    hawker = start_hawker({"destinations.connect_ports": [str(tls_origin.port)]})
    inside(hawker, authority.client_context(), tls_origin.host).close()
    assert "hawker ca init" in hawker.log_line("hint")


def test_an_empty_list_turns_it_off(start_hawker, tls_origin, ours, authority):
    hawker = start_hawker(options_for(tls_origin, ours, intercept=[]))
    inside(hawker, authority.client_context(), tls_origin.host).close()


def test_what_is_no_tls_in_a_tunnel_goes_through_byte_for_byte(start_hawker, origin, ours):
    origin.add("/plain", Text(b"no TLS at all"))
    hawker = start_hawker(options_for(origin, ours))
    with hawker.connect() as client:
        assert client.connect_to(origin.host).status == 200
        client.request("GET", "/plain", {"Host": origin.host})
        assert client.response().body == b"no TLS at all"
    hawker.exchange("127.0.0.1", source="tunnel")


def test_hosts_beyond_the_name_constraints_stay_opaque(tmp_path, start_hawker, tls_origin, authority):
    constrained = OurAuthority(tmp_path / "constrained", "hawker.test")
    hawker = start_hawker(options_for(tls_origin, constrained))
    inside(hawker, authority.client_context(), tls_origin.host).close()
    inside(hawker, constrained.context(), f"{CDN}:{tls_origin.port}").close()


# The leaf and the handshake ----------------------------------------------------------------------------------------------


def test_the_leaf_is_for_exactly_the_host_that_was_asked_for(intercepting, tls_origin, ours):
    hawker = intercepting()
    with inside(hawker, ours.context(), tls_origin.host) as tunnel:
        assert tunnel.socket.getpeercert()["subjectAltName"] == (("IP Address", "127.0.0.1"),)
    with inside(hawker, ours.context(), f"{CDN}:{tls_origin.port}") as tunnel:
        leaf = tunnel.socket.getpeercert()
        assert leaf["subjectAltName"] == (("DNS", CDN),)
    lifetime = ssl.cert_time_to_seconds(leaf["notAfter"]) - ssl.cert_time_to_seconds(leaf["notBefore"])
    assert lifetime <= 8 * 24 * 3600


def test_the_spelling_of_a_host_does_not_matter(intercepting, tls_origin, ours):
    hawker = intercepting()
    inside(hawker, ours.context(), f"FILES.Hawker.Test:{tls_origin.port}", name=CDN).close()


def test_only_http_1_1_is_agreed_upon(intercepting, tls_origin, ours):
    context = ours.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with inside(intercepting(), context, tls_origin.host) as tunnel:
        assert tunnel.socket.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_good_versions_are_spoken(intercepting, tls_origin, ours, version):
    context = ours.context(minimum_version=version, maximum_version=version)
    with inside(intercepting(), context, tls_origin.host) as tunnel:
        tunnel.request("GET", "/nothing", {"Host": tls_origin.host})
        assert tunnel.response().status == 404


def test_older_versions_are_refused(intercepting, tls_origin, ours):
    hawker = intercepting()
    said = openssl_client(hawker, tls_origin.host, "-CAfile", ours.ca_file, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "alert protocol version" in said
    eventually(lambda: handshakes(hawker, "failed") == 1, "the counter")


def test_a_session_is_resumed_in_the_next_tunnel(intercepting, tls_origin, ours):
    hawker = intercepting()
    context = ours.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    with inside(hawker, context, tls_origin.host) as tunnel:
        session = tunnel.socket.session
    with hawker.connect() as again:
        assert again.connect_to(tls_origin.host).status == 200
        again.start_tls(context, "127.0.0.1", session)
        assert again.socket.session_reused
    # The client's Finished is the last word of it: we may still be hearing it.
    eventually(lambda: handshakes(hawker, "resumed") == 1, "the counter")


def test_a_session_of_one_host_opens_no_other(intercepting, tls_origin, ours):
    hawker = intercepting()
    context = ours.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    with inside(hawker, context, tls_origin.host) as tunnel:
        session = tunnel.socket.session
    with hawker.connect() as other:
        assert other.connect_to(f"{CDN}:{tls_origin.port}").status == 200
        other.start_tls(context, CDN, session)
        assert not other.socket.session_reused
        assert other.socket.getpeercert()["subjectAltName"] == (("DNS", CDN),)


def test_another_name_than_the_tunnels_is_refused(intercepting, tls_origin, ours):
    hawker = intercepting()
    context = ours.context()
    context.check_hostname = False
    with pytest.raises(ssl.SSLError, match="unrecognized.name"):
        inside(hawker, context, f"{CDN}:{tls_origin.port}", name="other.hawker.test")
    eventually(lambda: handshakes(hawker, "failed") == 1, "the counter")
    inside(hawker, ours.context(), tls_origin.host).close()


def test_a_handshake_that_stalls_costs_its_own_connection(intercepting, tls_origin, ours):
    hawker = intercepting({"timeouts.handshake": stretched(4000)})
    with hawker.connect() as silent, hawker.connect() as half:
        for client in (silent, half):
            assert client.connect_to(tls_origin.host).status == 200
        half.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        inside(hawker, ours.context(), tls_origin.host).close()
        assert silent.is_closed() and half.is_closed()
    eventually(lambda: handshakes(hawker, "timed_out") == 2, "the counter")


def test_a_garbled_handshake_costs_its_own_connection(intercepting, tls_origin, ours):
    hawker = intercepting()
    for garbage in (b"\x16" * 500, b"\x16\x03\x01\xff\xff" + b"\0" * 70000, b"\x16\x03\x01\x00\x02\x01\x00"):
        with hawker.connect() as client:
            assert client.connect_to(tls_origin.host).status == 200
            with contextlib.suppress(OSError):  # it may have been closed already
                client.send(garbage)
                client.socket.shutdown(1)
            assert client.is_closed()
    inside(hawker, ours.context(), tls_origin.host).close()
    eventually(lambda: handshakes(hawker, "failed") + handshakes(hawker, "closed") == 3, "the counters")


def test_a_client_that_does_not_trust_us_is_one_line_and_a_counter(intercepting, tls_origin, authority):
    hawker = intercepting()
    with pytest.raises(ssl.SSLCertVerificationError):
        inside(hawker, authority.client_context(), tls_origin.host)
    assert "unknown ca" in hawker.exchange("127.0.0.1", source="intercept")["error"]


# Requests inside ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "host", "status"), [
    ("GET /shared/x", "other.hawker.test", 421),
    ("GET https://other.hawker.test/shared/x", "other.hawker.test", 421),
    ("GET http://127.0.0.1/shared/x", "127.0.0.1", 421),
    ("CONNECT other.hawker.test:443", "other.hawker.test:443", 400),
])
def test_a_request_for_another_host_is_misdirected(intercepting, tls_origin, ours, line, host, status):
    hawker = intercepting()
    with inside(hawker, ours.context(), tls_origin.host) as tunnel:
        tunnel.send(f"{line} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert tunnel.response().status == status
    assert not tls_origin.requests


def test_an_absolute_target_of_the_same_host_is_served(intercepting, tls_origin, ours):
    tls_origin.add("/shared/x", Text(b"the same"))
    with inside(intercepting(), ours.context(), tls_origin.host) as tunnel:
        tunnel.request("GET", tls_origin.url("/shared/x"))
        assert tunnel.response().body == b"the same"


def test_a_destination_that_is_denied_is_denied_inside_too(intercepting, tls_origin, ours):
    hawker = intercepting({"destinations.deny_hosts": ["127.0.0.1"]})
    with hawker.connect() as client:
        answer = client.connect_to(tls_origin.host)
        if answer.status == 200:
            client.start_tls(ours.context(), "127.0.0.1")
            client.request("GET", "/shared/x", {"Host": tls_origin.host})
            answer = client.response()
        assert answer.status == 403
    assert not tls_origin.requests


# Configuration -----------------------------------------------------------------------------------------------------------


def test_a_key_that_others_may_read_is_refused_at_start(tmp_path, start_hawker, tls_origin):
    mine = OurAuthority(tmp_path / "mine")
    (mine.directory / "ca.key").chmod(0o644)
    with pytest.raises(AssertionError, match="chmod 600"):
        start_hawker(options_for(tls_origin, mine))


def test_a_directory_without_an_authority_is_refused_with_the_command(tmp_path, start_hawker):
    with pytest.raises(AssertionError, match="hawker ca init --directory"):
        start_hawker({"ca.directory": str(tmp_path / "nothing")})


def test_a_reload_opens_and_closes_hosts_and_keeps_running_tunnels(intercepting, tls_origin, ours, authority):
    hawker = intercepting()
    tls_origin.add("/shared/x", Text(b"still here"))
    with inside(hawker, ours.context(), tls_origin.host) as tunnel:
        hawker.options["intercept"] = ["*.hawker.test"]
        hawker.write_config()
        hawker.reload()
        hawker.log_line("reloaded")
        inside(hawker, authority.client_context(), tls_origin.host).close()
        inside(hawker, ours.context(), f"{CDN}:{tls_origin.port}").close()
        tunnel.request("GET", "/shared/x", {"Host": tls_origin.host})
        assert tunnel.response().body == b"still here"


def test_a_reload_with_a_broken_authority_keeps_the_one_from_before(tmp_path, start_hawker, tls_origin):
    mine = OurAuthority(tmp_path / "mine")
    hawker = start_hawker(options_for(tls_origin, mine))
    (mine.directory / "ca.key").write_text("not a key")
    hawker.reload()
    assert "stays in force" in hawker.log_line("reload: ")
    inside(hawker, mine.context(), tls_origin.host).close()

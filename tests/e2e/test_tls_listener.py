"""Clients that speak TLS to the proxy itself: `https://proxy:port`, with and without certificates of their own."""

import pathlib
import shutil
import socket
import ssl
import tempfile

import pytest
import requests

from harness import clients, raw
from harness.certificates import Authority
from harness.content import KIB, MIB, Content, Text
from harness.crowd import Crowd
from harness.daemon import BINARY
from harness.waiting import eventually, stretched

BODY = Content(100 * KIB)


@pytest.fixture
def tls(authority):
    return {"certificate": str(authority.certificate), "key": str(authority.key)}


@pytest.fixture
def mutual(tls, authority):
    return {**tls, "client_ca": str(authority.ca_file)}


@pytest.fixture
def guarded(start_hawker):
    """guarded(tls, {...}): a daemon whose only proxy listener speaks TLS."""

    def start(tls, options=None, address="127.0.0.1:0"):
        return start_hawker({"listen": [], "listeners": [{"address": address, "tls": tls}], **(options or {})})

    return start


@pytest.fixture
def url(origin):
    origin.add("/shared/blob", BODY)
    return origin.url("/shared/blob")


def address_of(hawker):
    host, _, port = hawker.proxies[0].removeprefix("https://").rpartition(":")
    return "127.0.0.1" if host == "0.0.0.0" else host, int(port)


def curl(hawker, authority, *arguments):
    host, port = address_of(hawker)
    return clients.run("curl", "-q", "-sS", "--noproxy", "", "--proxy", f"https://{host}:{port}", "--proxy-cacert",
                       authority.ca_file, *arguments, check=False)


def body_through(hawker, authority, url, *arguments):
    """What curl gets; None when it gets nothing."""
    done = curl(hawker, authority, *arguments, url)
    return done.stdout if done.returncode == 0 else None


def shown_by(authority, name):
    certificate, key = authority.client(name)
    return "--proxy-cert", certificate, "--proxy-key", key


def plain_to(hawker):
    return raw.Connection(address_of(hawker))


def talk_to(hawker, context, **more):
    return plain_to(hawker).start_tls(context, "127.0.0.1", **more)


def handshakes(hawker, result):
    return hawker.metrics()[f'hawker_tls_handshakes_total{{result="{result}",where="listener"}}']


# What it is for ----------------------------------------------------------------------------------------------------------


def test_curl_is_served_and_knows_whom_it_talks_to(guarded, authority, tls, url):
    hawker = guarded(tls)
    assert hawker.proxies[0].startswith("https://127.0.0.1:")
    assert body_through(hawker, authority, url) == BODY.bytes()
    untrusting = clients.run("curl", "-q", "-sS", "--noproxy", "", "--proxy", hawker.proxies[0], url, check=False)
    assert untrusting.returncode != 0, "our authority is nobody that curl knows"
    assert handshakes(hawker, "full") >= 1
    kernel, process = (hawker.metrics()[f'hawker_tls_sessions_total{{sends="{who}"}}'] for who in ("kernel", "process"))
    assert kernel + process >= 1


def test_requests_speaks_tls_inside_of_it(guarded, authority, tls, tls_origin):
    blob = tls_origin.add("/shared/model", Content(9 * MIB))
    hawker = guarded(tls, {"destinations.connect_ports": [str(tls_origin.port)]})
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": hawker.proxies[0]}
        session.verify = str(authority.ca_file)
        for _ in range(2):
            assert session.get(tls_origin.url("/shared/model"), timeout=60).content == blob.content.bytes()


def test_a_tunnel_through_it_is_opaque(guarded, authority, tls, tls_origin):
    blob = tls_origin.add("/shared/x", Content(3 * MIB))
    hawker = guarded(tls, {"destinations.connect_ports": [str(tls_origin.port)]})
    asked = curl(hawker, authority, "--cacert", authority.ca_file, tls_origin.url("/shared/x"))
    assert asked.stdout == blob.content.bytes()
    assert hawker.exchange("127.0.0.1", source="tunnel")["bytes"] > blob.content.size


def test_a_tunnel_through_it_carries_half_closes(guarded, authority, tls):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        hawker = guarded(tls, {"destinations.connect_ports": [str(port)]})
        with talk_to(hawker, authority.client_context()) as client:
            assert client.connect_to(f"127.0.0.1:{port}").status == 200
            far = server.accept()[0]
            far.sendall(b"first words")
            far.shutdown(socket.SHUT_WR)  # close_notify, or Python's ssl would call it a violation
            assert client.socket.recv(100) == b"first words"
            assert client.socket.recv(100) == b""
            client.send(b"last words")
            assert far.recv(100) == b"last words"
            far.close()


def test_many_clients_at_once_are_one_fetch(guarded, authority, tls, origin):
    blob = origin.add("/shared/big", Content(16 * MIB))
    hawker = guarded(tls)
    crowd = Crowd()
    for _ in range(6):
        crowd.start(body_through, hawker, authority, origin.url("/shared/big"))
    for body in crowd.join():
        assert body == blob.content.bytes()
    assert blob.bytes_sent <= 1.01 * blob.content.size


def test_a_whole_answer_ends_with_a_goodbye(guarded, authority, tls, url):
    """An HTTP/1.0 client takes the end of the connection for the end of the body, and has to know it from a cut."""
    with talk_to(guarded(tls), authority.client_context()) as client:
        client.send(f"GET {url} HTTP/1.0\r\n\r\n")
        heard = b""
        while more := client.socket.recv(1 << 16):  # raises SSLEOFError without a goodbye
            heard += more
        assert heard.endswith(BODY.bytes())


def test_the_admin_api_speaks_tls_too(start_hawker, authority, tls):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hawker-"))  # a Unix socket's path has 107 bytes at most
    path = folder / "admin.sock"
    try:
        start_hawker({"listeners": [{"address": f"unix:{path}", "offers": "admin", "tls": tls}]})
        asked = clients.run("curl", "-q", "-sS", "--cacert", authority.ca_file, "--unix-socket", path, "https://localhost/healthz")
        assert asked.stdout == b"ok\n"
    finally:
        shutil.rmtree(folder)


# Handshakes that come to nothing -----------------------------------------------------------------------------------------


def test_a_handshake_that_stalls_costs_one_connection(guarded, authority, tls, url):
    hawker = guarded(tls, {"timeouts.handshake": stretched(4000)})
    with plain_to(hawker) as silent, plain_to(hawker) as half:
        half.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert body_through(hawker, authority, url) == BODY.bytes()
        assert silent.is_closed() and half.is_closed()
    eventually(lambda: handshakes(hawker, "timed_out") == 2, "the counter")


@pytest.mark.parametrize("said", [b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16" * 500, b"\0" * 100,
                                  b"\x16\x03\x01\xff\xff" + b"\0" * 70000], ids=["http", "repeated", "zeros", "too long"])
def test_what_is_no_tls_costs_one_connection(guarded, authority, tls, url, said):
    hawker = guarded(tls)
    with plain_to(hawker) as client:
        try:
            client.send(said)
            client.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it may have been closed already
        assert client.is_closed()
    eventually(lambda: handshakes(hawker, "failed") + handshakes(hawker, "closed") == 1, "the counter")
    assert body_through(hawker, authority, url) == BODY.bytes()


def test_clients_that_leave_at_any_byte_of_a_handshake_cost_nothing(guarded, authority, tls, url):
    hawker = guarded(tls)
    hello = client_hello(authority)
    for size in range(0, len(hello), 7):
        client = plain_to(hawker)
        client.send(hello[:size])
        client.abort()
    assert body_through(hawker, authority, url) == BODY.bytes()
    eventually(lambda: hawker.metrics()["hawker_connections"] == 0, "nobody being left")


def client_hello(authority):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        authority.client_context().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1").do_handshake()
    return outgoing.read()


def test_a_flood_of_bad_handshakes_leaves_no_lines_in_the_log(guarded, tls):
    hawker = guarded(tls)
    before = len(hawker.log())
    for _ in range(50):
        with plain_to(hawker) as client:
            client.send(b"no TLS\r\n\r\n")
            assert client.is_closed()
    assert handshakes(hawker, "failed") == 50
    assert len(hawker.log()) == before


# Clients' certificates ---------------------------------------------------------------------------------------------------


def test_a_certificate_is_needed_and_says_who_the_user_is(guarded, authority, mutual, url):
    hawker = guarded(mutual)
    assert body_through(hawker, authority, url) is None
    eventually(lambda: handshakes(hawker, "failed") == 1, "the counter")
    assert body_through(hawker, authority, url, *shown_by(authority, "alice")) == BODY.bytes()
    assert hawker.exchange("/shared/blob")["user"] == "alice"


def test_a_certificate_of_somebody_elses_is_none(guarded, authority, mutual, url, tmp_path):
    elsewhere = Authority(_folder(tmp_path / "elsewhere"))
    hawker = guarded(mutual)
    assert body_through(hawker, authority, url, *shown_by(elsewhere, "alice")) is None
    assert not hawker.exchanges()


def test_where_certificates_are_only_wanted_nobody_needs_one(guarded, authority, mutual, url):
    hawker = guarded({**mutual, "client_certificates": "wanted"})
    assert body_through(hawker, authority, url) == BODY.bytes()
    assert not hawker.exchange("/shared/blob").get("user")
    assert body_through(hawker, authority, url, *shown_by(authority, "bob")) == BODY.bytes()
    hawker.exchange("/shared/blob", user="bob")


def test_a_tunnel_belongs_to_the_user_of_the_certificate(guarded, authority, mutual, tls_origin):
    tls_origin.add("/shared/x", Text(b"through"))
    hawker = guarded(mutual, {"destinations.connect_ports": [str(tls_origin.port)]})
    asked = curl(hawker, authority, "--cacert", authority.ca_file, *shown_by(authority, "alice"), tls_origin.url("/shared/x"))
    assert asked.stdout == b"through"
    hawker.exchange("127.0.0.1", source="tunnel", user="alice")


def test_a_door_that_asks_for_certificates_may_be_open_to_other_machines(guarded, authority, tls, mutual, url, tmp_path):
    config = tmp_path / "open.yaml"
    words = ", ".join(f"{key}: {value}" for key, value in tls.items())
    config.write_text(f"listeners: [{{address: '0.0.0.0:0', tls: {{{words}}}}}]\n")
    refused = clients.run(BINARY, "--check", "--config", config, check=False)
    assert refused.returncode == 2 and b"nothing says who may use it" in refused.stderr
    hawker = guarded(mutual, address="0.0.0.0:0")
    assert body_through(hawker, authority, url, *shown_by(authority, "alice")) == BODY.bytes()


# Files and reloads -------------------------------------------------------------------------------------------------------


def test_a_key_that_others_can_read_is_refused_with_the_cure(guarded, tls, tmp_path):
    key = pathlib.Path(shutil.copy(tls["key"], tmp_path / "open.key"))
    key.chmod(0o644)
    with pytest.raises(AssertionError, match=f"chmod 600 '{key}'"):
        guarded({**tls, "key": str(key)})


def test_a_renewed_certificate_is_taken_up_by_a_reload(guarded, tmp_path, tls, url):
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pathlib.Path(tls["certificate"]).read_bytes())
    hawker = guarded({**tls, "certificate": str(chain)})
    chain.write_text("no certificate")
    hawker.reload()
    hawker.log_line("reload: .*chain.pem.* the configuration from before stays in force")
    renewed = Authority(_folder(tmp_path / "renewed"))
    chain.write_bytes(renewed.certificate.read_bytes())
    hawker.options["listeners"][0]["tls"]["key"] = str(renewed.key)
    hawker.write_config()
    hawker.reload()
    eventually(lambda: body_through(hawker, renewed, url) == BODY.bytes(), "the renewed one")


def test_sessions_are_resumed_even_after_a_reload(guarded, authority, tls, url):
    hawker = guarded(tls)
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with talk_to(hawker, context) as client:
        session = client.socket.session
    hawker.reload()
    hawker.log_line("reloaded")
    with talk_to(hawker, context, session=session) as client:
        assert client.socket.session_reused
        client.request("GET", url)
        assert client.response().body == BODY.bytes()
    assert handshakes(hawker, "resumed") == 1


def test_who_is_no_longer_vouched_for_is_out_after_a_reload_ticket_or_not(guarded, authority, mutual, tmp_path):
    trusted = pathlib.Path(shutil.copy(mutual["client_ca"], tmp_path / "clients.pem"))
    hawker = guarded({**mutual, "client_ca": str(trusted)})
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*authority.client("alice"))
    with talk_to(hawker, context) as client:
        session = client.socket.session
    trusted.write_bytes(Authority(_folder(tmp_path / "others")).ca_file.read_bytes())
    hawker.reload()
    hawker.log_line("reloaded")
    with pytest.raises(ssl.SSLError):
        talk_to(hawker, context, session=session)


def _folder(path):
    path.mkdir()
    return path

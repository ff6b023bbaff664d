"""CONNECT: an opaque tunnel to allowed ports of allowed addresses, correct at both ends."""

import hashlib
import socket
import threading

import pytest

from harness.content import MIB, Content, Text
from harness.crowd import Crowd
from harness.rules import HOST, rule
from harness.waiting import eventually, patience, stretched


class Peer:
    """A TCP server for one connection: `talk(connection)` runs on it."""

    def __init__(self, talk):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        self._talk = talk
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            with connection:
                try:
                    self._talk(connection)
                except OSError:
                    pass

    def close(self):
        self._listener.close()


@pytest.fixture
def peer():
    peers = []

    def start(talk):
        peers.append(Peer(talk))
        return peers[-1]

    yield start
    for each in peers:
        each.close()


@pytest.fixture
def tunnel(start_hawker):
    """tunnel(peer): an open tunnel, as a raw connection."""
    opened = []

    def open_to(peer, options=None, early=b""):
        hawker = start_hawker({"destinations.connect_ports": [str(peer.port)], **(options or {})})
        connection = hawker.connect(timeout=20)
        opened.append(connection)
        connection.send(f"CONNECT 127.0.0.1:{peer.port} HTTP/1.1\r\nHost: 127.0.0.1:{peer.port}\r\n\r\n".encode() + early)
        answer = connection.response("CONNECT")
        assert answer.status == 200
        assert answer.header("Content-Length") is None and answer.header("Transfer-Encoding") is None
        connection.hawker = hawker
        return connection

    yield open_to
    for connection in opened:
        connection.close()


def read_all(connection):
    parts = []
    while data := connection.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)


def echo(connection):
    while data := connection.recv(1 << 16):
        connection.sendall(data)


def connect(hawker, authority, head=""):
    with hawker.connect() as client:
        client.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{head}\r\n")
        return client.response("CONNECT")


def test_bytes_go_both_ways_unchanged(tunnel, peer):
    client = tunnel(peer(echo))
    client.send(bytes(range(256)))
    assert client.read_some(256) == bytes(range(256))


def test_bytes_sent_before_the_answer_are_not_lost(tunnel, peer):
    client = tunnel(peer(echo), early=b"early bird")
    assert client.read_some(10) == b"early bird"


def test_a_client_that_has_finished_sending_still_hears_the_answer(tunnel, peer):
    client = tunnel(peer(lambda connection: connection.sendall(b"got " + read_all(connection))))
    client.send("question")
    client.socket.shutdown(socket.SHUT_WR)
    assert client.read_to_end() == b"got question"


def test_a_server_that_has_finished_sending_still_hears_the_client(tunnel, peer):
    heard = []
    done = threading.Event()

    def talk(connection):
        connection.sendall(b"that is all")
        connection.shutdown(socket.SHUT_WR)
        heard.append(read_all(connection))
        done.set()

    client = tunnel(peer(talk))
    assert client.read_to_end() == b"that is all"
    client.send("one more thing")
    client.socket.shutdown(socket.SHUT_WR)
    assert done.wait(10)
    assert heard == [b"one more thing"]


def test_large_transfers_in_both_directions_at_once(tunnel, peer):
    down, up = Content(96 * MIB, seed=1), Content(96 * MIB, seed=2)
    received = hashlib.sha256()

    def talk(connection):
        def send():
            for run in down.runs():
                connection.sendall(run)
            connection.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        while data := connection.recv(1 << 18):
            received.update(data)
        sender.join()

    client = tunnel(peer(talk))

    def send_up():
        for run in up.runs():
            client.send(run)
        client.socket.shutdown(socket.SHUT_WR)

    crowd = Crowd()
    crowd.start(send_up)
    crowd.start(client.sha256_to_end)
    assert crowd.join()[1] == down.sha256()
    eventually(lambda: received.hexdigest() == up.sha256(), "the server has it all")
    line = client.hawker.exchange("127.0.0.1", source="tunnel")
    assert (line["bytes"], line["received"]) == (down.size, up.size)


def test_an_idle_tunnel_is_closed(tunnel, peer):
    client = tunnel(peer(echo), {"timeouts.tunnel_idle": stretched(3000)})
    client.send("x")
    assert client.read_some(1) == b"x"
    assert client.is_closed()


def test_a_tunnel_that_is_used_one_way_is_not_idle(tunnel, peer):
    ticks = round(patience(60))  # six seconds

    def tick(connection):
        pause = threading.Event()
        for _ in range(ticks):
            connection.sendall(b".")
            pause.wait(0.1)

    client = tunnel(peer(tick), {"timeouts.tunnel_idle": stretched(4000)})
    assert client.read_to_end() == b"." * ticks


def test_a_reset_at_one_end_reaches_the_other(tunnel, peer):
    ended = threading.Event()

    def talk(connection):
        try:
            read_all(connection)
        finally:
            ended.set()

    tunnel(peer(talk)).abort()
    assert ended.wait(10)


def test_other_ports_are_refused(hawker, peer):
    server = peer(echo)
    answer = connect(hawker, f"127.0.0.1:{server.port}")
    assert answer.status == 403
    assert "http_request_denied" in answer.header("Proxy-Status")
    assert server.accepted == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "10.0.0.1", "192.168.1.1", "172.16.0.1",
                                  "169.254.169.254", "100.64.0.1", "[::1]", "[::]", "[fe80::1]", "[fd00::1]",
                                  "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"])
def test_private_addresses_are_refused_by_default(start_hawker, peer, host):
    server = peer(echo)
    hawker = start_hawker({"destinations.allow": [], "destinations.connect_ports": [str(server.port)]})
    tunnel_answer = connect(hawker, f"{host}:{server.port}")
    assert tunnel_answer.status == 403, tunnel_answer
    assert "destination_ip_prohibited" in tunnel_answer.header("Proxy-Status")
    for path in ("/shared/x", "/plain"):
        assert hawker.fetch(f"http://{host}:{server.port}{path}").status == 403
    assert server.accepted == 0


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1"])
def test_an_odd_spelling_of_an_address_is_no_way_around(start_hawker, peer, host):
    server = peer(echo)
    hawker = start_hawker({"destinations.allow": [], "destinations.connect_ports": [str(server.port)]})
    assert connect(hawker, f"{host}:{server.port}").status in (400, 403, 502)
    assert server.accepted == 0


@pytest.mark.parametrize("target", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:44x", ":443",
                                    "user@127.0.0.1:443", "http://127.0.0.1:443/", "127.0.0.1:443/path", "[::1:443", ""])
def test_a_target_that_is_no_authority_is_a_400(hawker, target):
    with hawker.connect() as client:
        client.send(f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.response("CONNECT").status == 400
        assert client.is_closed()


def test_a_body_on_connect_is_a_400(start_hawker, peer):
    server = peer(echo)
    hawker = start_hawker({"destinations.connect_ports": [str(server.port)]})
    assert connect(hawker, f"127.0.0.1:{server.port}", "Content-Length: 5\r\n").status == 400


def test_nobody_there_is_a_502_with_a_reason(start_hawker):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        hawker = start_hawker({"destinations.connect_ports": [str(port)]})
        answer = connect(hawker, f"127.0.0.1:{port}")
    assert answer.status == 502
    assert "connection_refused" in answer.header("Proxy-Status")


def test_a_tunnel_that_a_rule_could_have_cached_is_counted_and_named_once(start_hawker, tls_origin):
    hawker = start_hawker({"destinations.connect_ports": [str(tls_origin.port)]}, rules=[rule("cdn", HOST + "/models/")])
    for _ in range(3):
        assert connect(hawker, tls_origin.host).status == 200
    eventually(lambda: hawker.metrics()["hawker_tunnels_could_have_been_cached_total"] == 3, "the counter")
    hawker.log_line("hint.*127.0.0.1")
    assert hawker.log().count("hint") == 1


def test_a_tunnel_that_no_rule_could_have_cached_gives_no_hint(start_hawker, tls_origin):
    hawker = start_hawker({"destinations.connect_ports": [str(tls_origin.port)]},
                          rules=[rule("elsewhere", r"^https?://cdn\.example\.org/")])
    assert connect(hawker, tls_origin.host).status == 200
    hawker.exchange("127.0.0.1", source="tunnel")
    assert hawker.metrics()["hawker_tunnels_could_have_been_cached_total"] == 0


def test_a_plain_request_on_the_same_daemon_still_works(tunnel, peer, origin):
    client = tunnel(peer(echo))
    blob = origin.add("/plain", Text(b"here"))
    assert client.hawker.fetch(origin.url("/plain")).body == blob.content.bytes()

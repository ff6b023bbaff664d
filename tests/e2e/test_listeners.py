"""Several listeners, each with terms of its own; and who is refused before anything listens."""

import http.client
import pathlib
import shutil
import socket
import stat
import sys
import tempfile

import pytest

from harness import clients
from harness.content import KIB, Content
from harness.daemon import BINARY
from harness.waiting import eventually

BODY = Content(100 * KIB)

# What systemd does for a socket unit: argv[1] is the FileDescriptorName, the rest is the program.
PASS_A_SOCKET = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
os.dup2(server.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=sys.argv[1])
os.execv(sys.argv[2], sys.argv[2:])
"""


def socket_named(name):
    return sys.executable, "-c", PASS_A_SOCKET, name


@pytest.fixture
def short_folder():
    """A Unix socket's path has 107 bytes at most; pytest's folders have more."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hawker-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def url(origin):
    origin.add("/shared/blob", BODY)
    return origin.url("/shared/blob")


def through(proxy, url, *arguments):
    """The body that curl gets through `proxy`; None when it gets none."""
    done = clients.run("curl", "-q", "-sS", "--noproxy", "", "--proxy", proxy, *arguments, url, check=False)
    return done.stdout if done.returncode == 0 else None


def through_unix(path, url):
    return clients.run("curl", "-q", "-sS", "--unix-socket", path, "--request-target", url, "http://proxy/").stdout


def checked(tmp_path, text):
    config = tmp_path / "hawker.yaml"
    config.write_text(text)
    return clients.run(BINARY, "--check", "--config", config, check=False)


def test_every_listener_serves_the_same_cache(start_hawker, origin, url):
    hawker = start_hawker({"listen": [], "listeners": [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0"}]})
    assert len(hawker.proxies) == 2
    hawker.fetch_until_stored(url)
    before = origin.bytes_sent
    bodies = [through(f"http://{proxy}", url) for proxy in hawker.proxies]
    assert bodies == [BODY.bytes(), BODY.bytes()]
    assert origin.bytes_sent == before


def test_a_unix_socket_is_a_listener_with_the_mode_that_was_asked_for(start_hawker, short_folder, url):
    path = short_folder / "proxy.sock"
    hawker = start_hawker({"listeners": [{"address": f"unix:{path}", "mode": "0660"}]})
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert through_unix(path, url) == BODY.bytes()
    assert f"unix:{path}" in hawker.proxies


def test_the_admin_api_listens_on_a_unix_socket_too(start_hawker, short_folder):
    path = short_folder / "admin.sock"
    start_hawker({"listeners": [{"address": f"unix:{path}", "offers": "admin"}]})
    assert clients.run("curl", "-q", "-sS", "--unix-socket", path, "http://localhost/healthz").stdout == b"ok\n"


def test_clients_from_elsewhere_are_closed_at_once_and_a_reload_lets_them_in(start_hawker, url):
    listener = {"address": "127.0.0.1:0", "clients": ["10.99.0.0/16"]}
    hawker = start_hawker({"listen": [], "listeners": [listener]})
    assert through(hawker.proxy_url, url) is None
    listener["clients"] = ["10.99.0.0/16", "127.0.0.0/8"]
    hawker.write_config()
    hawker.reload()
    assert eventually(lambda: through(hawker.proxy_url, url), "an answer after the reload") == BODY.bytes()


def test_a_socket_from_systemd_is_adopted_by_every_loop(start_hawker, url):
    hawker = start_hawker({"listen": ["systemd:proxy"], "threads": 3}, wrapper=socket_named("proxy"))
    for _ in range(12):
        assert through(hawker.proxy_url, url) == BODY.bytes()


def test_a_socket_from_systemd_that_nobody_takes_is_an_error(tmp_path):
    done = clients.run(*socket_named("web"), BINARY, f"--cache.directory={tmp_path}/cache", "--listen=127.0.0.1:0",
                       "--admin.listen=", check=False)
    assert done.returncode == 1
    assert b"listen: [systemd:web]" in done.stderr


def test_without_its_socket_unit_a_passed_listener_says_how_to_get_it(tmp_path):
    done = clients.run(BINARY, f"--cache.directory={tmp_path}/cache", "--listen=systemd:proxy", check=False)
    assert done.returncode == 1
    assert b"systemctl enable --now hawkerd.socket" in done.stderr


@pytest.mark.parametrize("text", ["listen: 0.0.0.0:0\n", "listen: '[::]:0'\n", "admin: {listen: 0.0.0.0:0}\n",
                                  "listeners: [{address: '0.0.0.0:0'}]\n"])
def test_an_open_door_is_refused_with_the_lines_that_close_it(tmp_path, text):
    refused = checked(tmp_path, text)
    assert refused.returncode == 2
    assert f"{tmp_path}/hawker.yaml:1: ".encode() in refused.stderr
    line = next(line for line in refused.stderr.decode().splitlines() if line.startswith("  clients: "))
    mended = checked(tmp_path, text + line.strip() + "\n")
    assert mended.returncode == 0, mended.stderr


def test_an_open_door_is_refused_at_start_as_well(tmp_path):
    done = clients.run(BINARY, f"--cache.directory={tmp_path}/cache", "--listen=0.0.0.0:0", "--admin.listen=", check=False)
    assert done.returncode == 2
    assert b"can be reached from other machines" in done.stderr


def test_the_option_clients_holds_for_listeners_without_their_own(start_hawker, url):
    hawker = start_hawker({"listen": ["0.0.0.0:0"], "clients": ["10.99.0.0/16"]})
    port = hawker.proxy[1]
    assert through(f"http://127.0.0.1:{port}", url) is None
    hawker.options["clients"] = ["127.0.0.0/8"]
    hawker.write_config()
    hawker.reload()
    assert eventually(lambda: through(f"http://127.0.0.1:{port}", url), "an answer after the reload") == BODY.bytes()


def test_a_web_page_cannot_ask_the_admin_api_under_its_own_name(hawker):
    host, port = hawker.admin

    def status(name):
        connection = http.client.HTTPConnection(host, port, timeout=20)
        connection.request("GET", "/tasks", headers={"Host": name})
        return connection.getresponse().status

    assert status(f"attacker.example:{port}") == 403
    assert status(f"localhost:{port}") == 200
    assert status(f"{host}:{port}") == 200

"""No secret is ever printed: what searches for them finds them, and what may print them does not."""

import base64
import urllib.parse

import pytest
import requests

from harness import daemon, secrets
from harness.clients import Curl
from harness.content import MIB, Content
from harness.daemon import Hawker
from harness.secrets import leaks, plant
from harness.signing import secret

# The search itself: without a daemon --------------------------------------------------------------------------------------


@pytest.fixture
def planted(monkeypatch):
    """Forgotten afterwards: these stand in texts of this very test."""
    monkeypatch.setattr(secrets, "_planted", set(secrets._planted))
    monkeypatch.setattr(secrets, "_pattern", None)
    return plant("pa55 word/of=mine")


@pytest.mark.parametrize("before", ["", "u", "me", "you", "user:"])
def test_a_secret_is_found_in_every_form_that_gives_it_away(planted, before):
    text = before + planted
    for form in (text, urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text), text.encode().hex().upper(),
                 base64.b64encode((text + ":more").encode()).decode(), base64.urlsafe_b64encode(text.encode()).decode()):
        assert leaks(f"a line\nurl=https://a.b/?x={form}&y rule=z\nanother") == [f"url=https://a.b/?x={form}&y rule=z"], form


def test_nothing_is_found_where_nothing_is(planted):
    assert leaks("url=https://a.b/?Signature=*&token=* error=\"the origin answers 403\"") == []


def test_what_the_harness_makes_up_needs_no_planting():
    assert leaks(base64.b64encode(f"me:{secret('password')}".encode()).decode())
    assert leaks("-----BEGIN PRIVATE KEY-----")


def test_a_secret_that_would_be_found_by_chance_cannot_be_planted():
    with pytest.raises(AssertionError):
        plant("short")


TELLTALE = """#!/usr/bin/env python3
import signal, sys
print("listening proxy=127.0.0.1:1 admin=127.0.0.1:1 pid=%d" % __import__("os").getpid(), flush=True)
print("url=https://a.b/?token={0}", file=sys.{1}, flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.pause()
"""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("end", ["stop", "kill", "finish"])
def test_a_daemon_that_prints_a_secret_fails_its_own_test(tmp_path, monkeypatch, planted, stream, end):
    program = tmp_path / "telltale"
    program.write_text(TELLTALE.format(planted, stream))
    program.chmod(0o755)
    monkeypatch.setattr(daemon, "BINARY", program)
    monkeypatch.setattr(daemon, "started", [])
    hawker = Hawker(tmp_path).start()
    hawker.log_line("url=")
    with pytest.raises(AssertionError, match="secrets were printed"):
        getattr(hawker, end)()
    assert not hawker.alive()


# The daemon ---------------------------------------------------------------------------------------------------------------


def test_a_connect_target_with_a_user_is_not_logged(start_hawker):
    hawker = start_hawker({"log.level": "debug"})
    for target in (f"me:{secret('password')}@127.0.0.1:1", f"{secret('user')}@no-such-host.invalid:443"):
        with hawker.connect() as client:
            client.send(f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.response("CONNECT").status >= 400
    assert hawker.stop() == 0


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_real_clients_real_credentials_and_nothing_in_the_log(start_hawker, origin, tmp_path, authority, log_format):
    hawker = start_hawker({"log.level": "debug", "log.format": log_format})
    origin.add("/verify/blob", Content(2 * MIB), signed=True)
    user, password = secret("user"), plant("S3same-open-" + secret("password"))
    curl = Curl(tmp_path, hawker, authority)
    for url in (origin.signed_url("/verify/blob"), origin.signed_url("/verify/blob", ttl=-9), origin.url("/verify/none"),
                f"http://127.0.0.1:1/verify/blob?sig={secret('sig')}"):
        curl.run("-o", "/dev/null", "-u", f"{user}:{password}", "-b", f"session={secret('cookie')}", url)
        with requests.Session() as session:
            session.trust_env = False
            session.proxies = {"http": hawker.proxy_url}
            session.get(url, auth=(user, password), headers={"Private-Token": secret("token")}, timeout=60)
    for path in ("/metrics", "/tasks"):
        hawker.get_admin(path)
    assert hawker.stop() == 0
    assert "/verify/blob" in hawker.all_output()

"""Proxy users: who has a password may use the proxy, and nobody else; the password goes nowhere."""

import base64

import pytest
import requests

from harness.clients import Curl, run
from harness.content import KIB, MIB, Content, Text
from harness.crowd import Crowd
from harness.interception import OurAuthority, inside, options_for
from harness.passwords import Passwords
from harness.waiting import eventually


@pytest.fixture
def passwords(tmp_path):
    return Passwords(tmp_path, "alice", "bob")


@pytest.fixture
def guarded(start_hawker, passwords):
    return lambda options=None, **more: start_hawker({"auth.htpasswd": str(passwords.file), **(options or {})}, **more)


def basic(user, password):
    return {"Proxy-Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def asked(hawker, result):
    return hawker.metrics()[f'hawker_proxy_authentications_total{{result="{result}"}}']


def curl(*arguments):
    return run("curl", "-q", "-sS", "--noproxy", "", *arguments, check=False)


def test_a_client_without_a_name_is_asked_for_one(guarded, origin):
    origin.add("/shared/x", Text(b"x"))
    answer = guarded().fetch(origin.url("/shared/x"))
    assert answer.status == 407
    assert answer.header("Proxy-Authenticate") == 'Basic realm="hawker", charset="UTF-8"'
    assert "a user and a password" in answer.text
    assert not origin.requests


def test_curl_and_requests_come_in_with_user_and_password(guarded, origin, passwords):
    blob = origin.add("/shared/model", Content(3 * MIB))
    hawker = guarded()
    assert curl("--proxy", hawker.proxy_url, "--proxy-user", f"alice:{passwords.of['alice']}", origin.url("/shared/model")).stdout \
        == blob.content.bytes()
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": passwords.url(hawker, "bob")}
        assert session.get(origin.url("/shared/model"), timeout=60).content == blob.content.bytes()
    assert {hawker.exchange("/shared/model", user=user)["status"] for user in ("alice", "bob")} == {200}
    assert asked(hawker, "admitted") == 2


def test_git_comes_in_with_user_and_password(guarded, lfs_server, git, passwords):
    lfs_server.create({"a.bin": Content(100 * KIB)})
    hawker = guarded(rules=[])
    git.configure("http.proxy", passwords.url(hawker, "alice"))
    git.run("clone", "-q", lfs_server.repo, git.folder / "clone", GIT_LFS_SKIP_SMUDGE="1")
    assert (git.folder / "clone" / "a.bin").exists()


@pytest.mark.parametrize(("user", "password"), [
    ("alice", "c4naryS3cret-wrong"), ("mallory", "c4naryS3cret-wrong"), ("alice", ""), ("", ""),
])
def test_a_wrong_password_and_a_stranger_hear_the_same(guarded, origin, user, password):
    origin.add("/shared/x", Text(b"x"))
    hawker = guarded()
    answer = hawker.fetch(origin.url("/shared/x"), headers=basic(user, password))
    assert (answer.status, answer.text) == (407, "This proxy does not know this user with this password.\n")
    assert not origin.requests
    assert hawker.exchange("/shared/x")["user"] == ""


@pytest.mark.parametrize("field", ["Bearer c4naryS3crettoken", "Basic", "Basic !!!!", "Basic " + "QUFB" * 3000])
def test_what_is_no_basic_credential_is_refused(guarded, origin, field):
    origin.add("/shared/x", Text(b"x"))
    assert guarded().fetch(origin.url("/shared/x"), headers={"Proxy-Authorization": field}).status == 407


def test_a_refused_client_may_try_again_on_the_same_connection(guarded, origin, passwords):
    origin.add("/shared/x", Text(b"in"))
    with guarded().connect() as client:
        client.request("GET", origin.url("/shared/x"))
        assert client.response().status == 407
        client.request("GET", origin.url("/shared/x"), basic("alice", passwords.of["alice"]))
        assert client.response().body == b"in"


def test_the_password_never_leaves_for_the_origin(guarded, origin, passwords):
    origin.add("/shared/x", Text(b"x"))
    origin.add("/other", Text(b"x"))
    hawker = guarded()
    for path in ("/shared/x", "/other"):
        assert hawker.fetch(origin.url(path), headers=basic("alice", passwords.of["alice"])).status == 200
    assert len(origin.requests) == 2
    assert all(request.header("Proxy-Authorization") is None for request in origin.requests)


def test_tunnels_are_for_users_too(guarded, tls_origin, authority, passwords):
    tls_origin.add("/x", Text(b"inside"))
    hawker = guarded({"destinations.connect_ports": [str(tls_origin.port)]})
    refused = curl("--proxy", hawker.proxy_url, "--cacert", authority.ca_file, tls_origin.url("/x"))
    assert refused.returncode != 0 and b"407" in refused.stderr
    let_in = curl("--proxy", hawker.proxy_url, "--proxy-user", f"alice:{passwords.of['alice']}", "--cacert", authority.ca_file,
                  tls_origin.url("/x"))
    assert let_in.stdout == b"inside"
    assert hawker.exchange("127.0.0.1", source="tunnel", user="alice")


def test_what_comes_through_an_opened_tunnel_is_the_users_who_opened_it(guarded, tls_origin, passwords, tmp_path):
    ours = OurAuthority(tmp_path / "ca")
    tls_origin.add("/shared/x", Text(b"inside"))
    hawker = guarded(options_for(tls_origin, ours))
    done = curl("--proxy", hawker.proxy_url, "--proxy-user", f"bob:{passwords.of['bob']}", "--cacert", ours.ca_file,
                tls_origin.url("/shared/x"))
    assert done.stdout == b"inside"
    assert hawker.exchange("/shared/x")["user"] == "bob"


def test_many_clients_of_one_user_at_once_are_all_let_in(guarded, origin, passwords):
    origin.add("/shared/x", Text(b"x"))
    hawker = guarded()
    crowd = Crowd()
    for _ in range(100):  # more than passwords may wait: they wait for one
        crowd.start(hawker.fetch, origin.url("/shared/x"), headers=basic("alice", passwords.of["alice"]))
    assert {answer.status for answer in crowd.join()} == {200}


def test_guesses_keep_nobody_else_out(start_hawker, origin, tmp_path):
    origin.add("/shared/x", Text(b"x"))
    dear = Passwords(tmp_path, "alice", "bob", cost=12)  # a fifth of a second for each
    hawker = start_hawker({"auth.htpasswd": str(dear.file)})
    mine = basic("alice", dear.of["alice"])
    assert hawker.fetch(origin.url("/shared/x"), headers=mine).status == 200
    crowd = Crowd()
    for number in range(40):
        crowd.start(hawker.fetch, origin.url("/shared/x"), headers=basic("alice", f"c4naryS3cret-guess-{number}"))
    eventually(lambda: asked(hawker, "busy") > 0, "a guess too many")
    # Whose password is in use, from the same address; and one whose is not, from another.
    for _ in range(10):
        assert hawker.fetch(origin.url("/shared/x"), headers=mine).status == 200
    elsewhere = curl("--interface", "127.0.0.2", "--proxy", hawker.proxy_url, "--proxy-user", f"bob:{dear.of['bob']}",
                     origin.url("/shared/x"))
    assert elsewhere.stdout == b"x"
    answers = crowd.join()
    assert {answer.status for answer in answers} == {407, 503}
    assert all(answer.header("Retry-After") == "2" for answer in answers if answer.status == 503)


def test_a_stop_does_not_wait_for_all_passwords(start_hawker, origin, tmp_path):
    origin.add("/shared/x", Text(b"x"))
    dear = Passwords(tmp_path, "alice", cost=15)  # more than a second for each
    hawker = start_hawker({"auth.htpasswd": str(dear.file), "drain_timeout": "100ms"})
    clients = [hawker.connect() for _ in range(20)]
    for number, client in enumerate(clients):
        client.request("GET", origin.url("/shared/x"), basic("alice", f"c4naryS3cret-guess-{number}"))
    eventually(lambda: asked(hawker, "busy") > 0, "a full queue")
    assert hawker.stop(within=20) == 0
    for client in clients:
        client.close()


def test_a_reload_takes_a_changed_file_and_keeps_the_old_one_when_it_is_bad(guarded, origin, passwords):
    origin.add("/shared/x", Text(b"x"))
    hawker = guarded()
    old = basic("alice", passwords.of["alice"])
    assert hawker.fetch(origin.url("/shared/x"), headers=old).status == 200
    new = basic("alice", passwords.set("alice", "c4naryS3cret-the-new-one"))
    hawker.reload()
    eventually(lambda: hawker.fetch(origin.url("/shared/x"), headers=new).status == 200, "the new password")
    assert hawker.fetch(origin.url("/shared/x"), headers=old).status == 407
    passwords.file.write_text("alice:plain\n")
    hawker.reload()
    assert "htpasswd -B" in hawker.log_line("reload: .*stays in force")
    assert hawker.fetch(origin.url("/shared/x"), headers=new).status == 200


def test_a_removed_user_is_out_at_the_next_request(guarded, origin, passwords):
    origin.add("/shared/x", Text(b"x"))
    hawker = guarded()
    bob = basic("bob", passwords.of["bob"])
    with hawker.connect() as client:
        client.request("GET", origin.url("/shared/x"), bob)
        assert client.response().status == 200
        passwords.remove("bob")
        hawker.reload()
        hawker.log_line("reloaded")
        client.request("GET", origin.url("/shared/x"), bob)
        assert client.response().status == 407


def test_a_listener_may_ask_nobody_and_another_everybody(guarded, origin, passwords):
    origin.add("/shared/x", Text(b"x"))
    doors = [{"address": "127.0.0.1:0", "auth": word} for word in ("none", "optional", "required")]
    hawker = guarded({"listen": [], "listeners": doors})
    statuses = [run("curl", "-q", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "", "--proxy", f"http://{proxy}",
                    origin.url("/shared/x")).stdout for proxy in hawker.proxies]
    assert statuses == [b"200", b"200", b"407"]


def test_a_listener_for_everybody_may_be_reached_once_it_asks_for_users(guarded):
    assert guarded({"listen": ["0.0.0.0:0"]}).alive()


def test_a_client_certificate_is_a_name_too(guarded, origin, authority):
    origin.add("/shared/x", Text(b"x"))
    tls = {"certificate": str(authority.certificate), "key": str(authority.key), "client_ca": str(authority.ca_file),
           "client_certificates": "required"}
    hawker = guarded({"listen": [], "listeners": [{"address": "127.0.0.1:0", "tls": tls}]})
    done = curl("--proxy", hawker.proxies[0], "--proxy-cacert", authority.ca_file, "--proxy-cert", authority.certificate,
                "--proxy-key", authority.key, origin.url("/shared/x"))
    assert done.stdout == b"x"
    assert hawker.exchange("/shared/x")["user"] == "localhost"  # the certificate's common name


def test_a_user_without_the_right_to_shared_hits_needs_the_origins_yes(guarded, origin, passwords):
    blob = origin.add("/shared/model", Content(1 * MIB), signed=True)
    hawker = guarded({"users": {"bob": {"shared": False}}})
    alice, bob = (basic(user, passwords.of[user]) for user in ("alice", "bob"))
    hawker.wait_until_stored(hawker.fetch(origin.signed_url("/shared/model"), headers=alice))
    unsigned = origin.url("/shared/model")
    assert hawker.fetch(unsigned, headers=alice).status == 200
    assert hawker.fetch(unsigned, headers=bob).status == 403
    assert hawker.fetch(origin.signed_url("/shared/model"), headers=bob).cache_status["hit"]
    assert blob.bytes_sent < blob.content.size + 1 * KIB  # a refusal, and one byte


@pytest.mark.parametrize(("text", "cure"), [
    ("alice:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n", "htpasswd -B"), ("", "htpasswd -B"), ("alice\n", "user:hash"),
])
def test_a_file_that_cannot_be_used_is_refused_at_start_with_the_cure(start_hawker, tmp_path, text, cure):
    file = tmp_path / "bad"
    file.write_text(text)
    with pytest.raises(AssertionError, match=cure):
        start_hawker({"auth.htpasswd": str(file)})


def test_an_unknown_key_of_a_user_is_refused_with_the_nearest_one(guarded):
    with pytest.raises(AssertionError, match="did you mean 'connections'"):
        guarded({"users": {"bob": {"conections": 4}}})

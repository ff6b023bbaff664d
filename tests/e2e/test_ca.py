"""`hawker ca`: the authority is made once and kept close, and the lines it prints make real clients trust it."""

import json
import os
import pathlib
import stat
import subprocess

import pytest

from harness.authority_commands import HAWKER, AuthorityCommands, Shop, installed, shell
from harness.rules import HOST, rule
from harness.yaml_text import configuration

pytestmark = pytest.mark.skipif(not HAWKER.exists(), reason=f"{HAWKER} is not built")


@pytest.fixture
def user(tmp_path):
    return AuthorityCommands(tmp_path)


@pytest.fixture
def shop(user):
    """A server of localhost whose leaf the user's authority has signed."""
    user.init("--permit", "localhost")
    server = Shop(user.leaf("localhost"))
    yield server
    server.close()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# Made once ---------------------------------------------------------------------------------------------------------------


def test_init_makes_a_key_that_only_its_owner_reads(user):
    said = user.init("--permit", "git.example", "--name", "our own CA").stdout
    assert mode(user.directory) == 0o700
    assert mode(user.directory / "ca.key") == 0o600
    for part in ("our own CA", str(user.directory / "ca.pem"), "git.example", "hawker ca trust", "hawker env"):
        assert part in said
    shown = json.loads(user.hawker("--json", "ca", "show", "--directory", user.directory).stdout)
    assert shown["permitted_domains"] == ["git.example"]
    assert shown["sha256"] in said
    fingerprint = subprocess.run(["openssl", "x509", "-in", user.directory / "ca.pem", "-noout", "-fingerprint", "-sha256"],
                                 capture_output=True, text=True, check=True).stdout
    assert shown["sha256"] in fingerprint
    pem = user.hawker("ca", "show", "--pem", "--directory", user.directory).stdout
    assert pem == (user.directory / "ca.pem").read_text()


def test_a_second_init_replaces_nothing(user):
    user.init("--permit", "git.example")
    before = (user.directory / "ca.key").read_bytes()
    again = user.init("--permit", "git.example", check=False)
    assert again.returncode == 1
    assert "never replaced" in again.stderr
    assert (user.directory / "ca.key").read_bytes() == before


def test_a_plain_init_is_constrained_to_what_the_shipped_rules_name(user):
    said = user.init().stdout
    for domain in ("hf.co", "huggingface.co", "docker.io", "gitlab.com"):
        assert domain in said
    for host, is_good in (("cdn-lfs.hf.co", True), ("evil.example", False)):
        leaf = user.leaf(host)
        done = subprocess.run(["openssl", "verify", "-purpose", "sslserver", "-x509_strict", "-verify_hostname", host,
                               "-CAfile", user.directory / "ca.pem", leaf], capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == is_good, done.stdout + done.stderr
        assert is_good or "permitted subtree violation" in done.stdout + done.stderr


def test_init_says_when_the_hosts_are_not_literal_and_how_to_constrain(user, tmp_path):
    config = tmp_path / "hawker.yaml"
    config.write_text(configuration({"cache.directory": str(tmp_path / "cache")}, [rule("ours", HOST + "/x")]))
    said = user.init("--config", config).stdout
    assert "vouches for  any host" in said
    assert "'ours'" in said
    assert "hawker ca init --permit" in said


def test_init_takes_the_domains_of_the_configuration_that_is_given(user, tmp_path):
    config = tmp_path / "hawker.yaml"
    ours = rule("ours", r"^https?://artifacts\.example\.com/")
    config.write_text(configuration({"cache.directory": str(tmp_path / "cache")}, [ours]))
    said = user.init(env={"HAWKER_CONFIG": str(config)}).stdout
    assert "vouches for  artifacts.example.com, and what is below" in said


def test_a_bad_configuration_makes_no_authority(user, tmp_path):
    config = tmp_path / "hawker.yaml"
    config.write_text("no_such_option: 1\n")
    done = user.init("--config", config, check=False)
    assert done.returncode == 1
    assert "no_such_option" in done.stderr
    assert not user.directory.exists()


def test_nothing_there_names_the_command_that_makes_it(user):
    done = user.hawker("ca", "show", "--directory", user.directory, check=False)
    assert done.returncode == 1
    assert "hawker ca init" in done.stderr


# Trusted -----------------------------------------------------------------------------------------------------------------

CLIENTS = {
    "curl": ("curl", "curl -q -sS --noproxy '*' {url}/", "goods"),
    "git": ("git", "git ls-remote {url}/repo.git", Shop.COMMIT),
    "python": ("/usr/bin/python3", "/usr/bin/python3 -c \"import requests, urllib.request as u; "
               "print(requests.get('{url}/').text, u.urlopen('{url}/').read())\"", "goods b'goods'"),
    "huggingface_hub": ("/usr/bin/python3", "/usr/bin/python3 -c \"import requests; print(requests.get('{url}/').text)\"",
                        "goods"),
    "pip": ("pip", "python3 -m pip download -q --no-cache-dir --disable-pip-version-check --no-deps --retries 0 "
            "-d \"$HOME/got\" --index-url {url}/simple tiny && ls \"$HOME/got\"", "tiny-1.0-py3-none-any.whl"),
    "node": ("node", "node -e \"require('https').get('{url}/', r => r.pipe(process.stdout))"
             ".on('error', e => {{ console.error(e.code); process.exit(1) }})\"", "goods"),
    "go": ("openssl", "openssl s_client -connect localhost:{port} -verify_hostname localhost -verify_return_error "
           "-brief </dev/null", "Verification: OK"),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_the_printed_lines_make_a_client_trust_the_authority(user, shop, client):
    program, command, expected = CLIENTS[client]
    if not installed(program):
        pytest.skip(f"no {program} here")
    command = command.format(url=shop.url, port=shop.port)
    code, said = shell(command, user.environment())
    assert code != 0, f"trusted without being told to: {said}"
    code, said = shell(user.trust(client) + "\n" + command, user.environment())
    assert code == 0, said
    assert expected in said


def test_every_line_can_be_pasted_into_every_shell(user, shop):
    for program in ("sh", "dash", "bash"):
        if not installed(program):
            continue
        lines = "".join(user.trust(client) for client in ("git", "curl", "python", "pip", "node", "go"))
        code, said = shell("set -eu\n" + lines + f"curl -q -sS --noproxy '*' {shop.url}/", user.environment(), program)
        assert (code, said) == (0, "goods"), program


@pytest.mark.skipif(not installed("keytool"), reason="no Java here")
def test_javas_line_adds_the_authority_to_a_store(user, shop):
    line = user.trust("java").replace("sudo ", "")
    assert " -cacerts " in line
    store = user.home / "cacerts"  # instead of the one that all of this machine use
    code, said = shell(line.replace(" -cacerts ", f" -keystore '{store}' "), user.environment())
    assert code == 0, said
    shown = json.loads(user.hawker("--json", "ca", "show", "--directory", user.directory).stdout)
    code, said = shell(f"keytool -list -storepass changeit -keystore '{store}' -alias hawker", user.environment())
    assert code == 0 and shown["sha256"] in said, said
    assert "trustedCertEntry" in said


@pytest.mark.skipif(os.geteuid() != 0 or not installed("update-ca-certificates"), reason="needs root on Debian or its like")
def test_the_systems_lines_change_the_system_store(user, shop):
    """In a mount namespace of its own, so that this machine stays as it is."""
    lines = user.trust("system")
    script = f"""set -e
copy="$HOME/certs"; cp -a /etc/ssl/certs "$copy"
mount -t tmpfs none /etc/ssl/certs && cp -a "$copy/." /etc/ssl/certs
mount -t tmpfs none /usr/local/share/ca-certificates
test ! -d /etc/ca-certificates/update.d || mount -t tmpfs none /etc/ca-certificates/update.d
{lines}
curl -q -sS --noproxy '*' {shop.url}/"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False,
                          env=user.environment())
    if "unshare failed" in done.stderr or "permission denied" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("goods")
    assert not pathlib.Path("/usr/local/share/ca-certificates/hawker.crt").exists()


def test_an_unknown_client_is_refused_with_the_known_ones(user, shop):
    done = user.hawker("ca", "trust", "--directory", user.directory, "--for", "wget2", check=False)
    assert done.returncode == 1
    assert "huggingface_hub" in done.stderr


# Kept close --------------------------------------------------------------------------------------------------------------


def test_no_command_prints_the_key(user, shop):
    everything = "".join(
        done.stdout + done.stderr
        for done in (user.hawker("ca", "show", "--directory", user.directory),
                     user.hawker("ca", "show", "--pem", "--directory", user.directory),
                     user.hawker("--json", "ca", "show", "--directory", user.directory),
                     user.hawker("ca", "trust", "--directory", user.directory),
                     user.hawker("env", "--directory", user.directory),
                     user.init(check=False),
                     user.hawker("ca", "show", "--certificate", user.directory / "ca.key", check=False)))
    assert "PRIVATE" not in everything
    for line in user.key_lines():
        assert line not in everything


def test_the_daemon_never_gives_the_key_away(user, start_hawker, monkeypatch):
    user.init("--permit", "localhost")
    monkeypatch.setenv("STATE_DIRECTORY", str(user.directory.parent))
    hawker = start_hawker()
    answers = [hawker.get_admin(path) for path in ("/healthz", "/metrics", "/tasks")]
    host, port = hawker.admin
    for path in ("/", "/ca", "/ca.key", "/ca/ca.key", "/../ca.key", "/..%2fca.key", "/config", "/tasks/../ca.key"):
        for target in (f"http://{host}:{port}{path}", f"{hawker.proxy_url}{path}"):
            code, said = shell(f"curl -q -sS --noproxy '*' --path-as-is -w '%{{http_code}}' '{target}'", user.environment())
            assert code == 0, said
            assert not said.endswith("200") or path == "/", f"{target}: {said}"
            answers.append(said)
    everything = "".join(answers) + hawker.all_output()
    assert "PRIVATE KEY" not in everything
    for line in user.key_lines():
        assert line not in everything

"""`hawker env`: settings that a shell can eval, and that clients then really use."""

import pytest

from harness.authority_commands import HAWKER, AuthorityCommands, Shop, installed, shell
from harness.content import Text
from harness.names import machine

pytestmark = pytest.mark.skipif(not HAWKER.exists(), reason=f"{HAWKER} is not built")
SHELLS = [program for program in ("sh", "dash", "bash", "zsh") if installed(program)]


@pytest.fixture
def user(tmp_path):
    return AuthorityCommands(tmp_path)


@pytest.mark.parametrize("program", SHELLS)
def test_after_eval_curl_uses_the_proxy(user, hawker, origin, program):
    origin.add("/pass/page", Text(b"hello"))
    url = f"http://{machine()[0]}:{origin.port}/pass/page"
    code, said = shell(f'eval "$({HAWKER} env)" && curl -q -sS {url}', user.environment(HAWKER_PROXY=hawker.proxy_url), program)
    assert (code, said) == (0, "hello")
    assert hawker.exchange("/pass/page")["status"] == 200


@pytest.mark.parametrize("program", SHELLS)
def test_local_hosts_are_not_asked_for_through_the_proxy(user, hawker, origin, program):
    origin.add("/pass/local", Text(b"hello"))
    for host in ("localhost", "127.0.0.1"):
        code, said = shell(f'eval "$({HAWKER} env --proxy http://127.0.0.1:9)" && curl -q -sS http://{host}:{origin.port}/pass/local',
                           user.environment(), program)
        assert (code, said) == (0, "hello")


@pytest.mark.parametrize("program", SHELLS)
def test_what_is_printed_is_data_and_never_a_command(user, program):
    proxy = "http://us'er:$(touch${IFS}HACKED)`id`;\\@proxy.example:1"
    code, said = shell(f'cd "$HOME" && eval "$({HAWKER} env)" && printf %s "$https_proxy" && test ! -e HACKED',
                       user.environment(HAWKER_PROXY=proxy), program)
    assert (code, said) == (0, proxy)


@pytest.mark.skipif(not installed("fish"), reason="no fish here")
def test_fish_sources_it(user):
    code, said = shell(f"{HAWKER} env --shell fish | source; echo $https_proxy", user.environment(), "fish")
    assert (code, said) == (0, "http://127.0.0.1:65001\n")


def test_the_authority_is_trusted_once_its_bundle_is_made(user):
    user.init("--permit", "localhost")
    env = ("env", "--directory", user.directory, "--bundle", user.bundle)
    before = user.hawker(*env)
    assert "SSL_CERT_FILE" not in before.stdout
    assert "hawker ca trust" in before.stderr
    assert shell(user.trust("git"), user.environment())[0] == 0
    assert user.hawker(*env).stderr == ""
    shop = Shop(user.leaf("localhost"))
    try:
        code, said = shell(f'eval "$("{HAWKER}" env --directory "$CA" --bundle "$BUNDLE")"; curl -q -sS {shop.url}/',
                           user.environment(CA=str(user.directory), BUNDLE=str(user.bundle)))
        assert (code, said) == (0, "goods")
    finally:
        shop.close()


def test_another_authoritys_bundle_is_not_named(user, tmp_path):
    user.init("--permit", "localhost")
    assert shell(user.trust("curl"), user.environment())[0] == 0
    user.hawker("ca", "init", "--permit", "localhost", "--directory", tmp_path / "other")
    done = user.hawker("env", "--directory", tmp_path / "other", "--bundle", user.bundle)
    assert "SSL_CERT_FILE" not in done.stdout


def test_git_and_pip_take_their_lines(user):
    user.init("--permit", "localhost")
    shell(user.trust("curl"), user.environment())
    lines = user.hawker("env", "--for", "git", "--proxy", "proxy.example:3128", "--directory", user.directory, "--bundle",
                        user.bundle).stdout
    code, said = shell(lines + "git config --global http.proxy; git config --global http.sslCAInfo", user.environment())
    assert (code, said) == (0, f"http://proxy.example:3128\n{user.bundle}\n")
    lines = user.hawker("env", "--for", "pip", "--proxy", "proxy.example:3128", "--directory", user.directory, "--bundle",
                        user.bundle).stdout.replace("pip config", "/usr/bin/python3 -m pip config")
    code, said = shell(lines + "/usr/bin/python3 -m pip config get global.proxy", user.environment())
    if "No module named pip" in said:
        pytest.skip("no pip here")
    assert code == 0 and "http://proxy.example:3128" in said

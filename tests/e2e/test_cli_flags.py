"""What hawkerd says on the command line, without serving."""

import re

import pytest

from harness import daemon
from harness.authority_commands import HAWKER
from harness.clients import run
from harness.rules import default_rules
from harness.yaml_text import configuration

pytestmark = pytest.mark.daemon

SIGNED = "http://localhost:9000/verify/model.bin?Expires=1&Signature=abc&Key-Pair-Id=k"


@pytest.fixture
def hawkerd(tmp_path):
    """hawkerd(*flags): the finished process; --config FILE is a good one with the usual rules."""
    config = tmp_path / "hawker.yaml"
    config.write_text(configuration({"cache.directory": str(tmp_path / "cache"), "cache.max_size": "2GiB"}, default_rules()))

    def call(*flags, config=config, env=None):
        done = run(daemon.BINARY, *(("--config", config) if config else ()), *flags, check=False, within=20, env=env)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    call.folder = tmp_path
    return call


def task_id(text):
    return re.search(r"task ID\s+([0-9a-f]{64})", text)[1]


def test_explain_names_rule_key_and_task(hawkerd):
    done = hawkerd("--explain", SIGNED)
    assert done.returncode == 0
    for part in ("verify", "Expires", "Signature", "Key-Pair-Id", "http://localhost:9000/verify/model.bin"):
        assert part in done.stdout
    assert "abc" not in done.stdout
    assert task_id(done.stdout)


def test_explain_gives_one_task_for_two_signatures_and_two_for_two_objects(hawkerd):
    def ask(url):
        return task_id(hawkerd("--explain", url).stdout)

    assert ask(SIGNED) == ask("HTTP://LOCALHOST:9000/verify/mod%65l.bin?Signature=other&Expires=2")
    assert ask(SIGNED) != ask(SIGNED.replace("model.bin", "Model.bin"))
    assert ask(SIGNED) != ask(SIGNED + "&versionId=2")


def test_explain_finds_the_digest(hawkerd):
    digest = "0123456789abcdef" * 4
    assert f"sha256:{digest}" in hawkerd("--explain", f"http://localhost:1/sha256/{digest}").stdout


def test_explain_says_when_nothing_matches(hawkerd):
    done = hawkerd("--explain", "http://example.org/index.html")
    assert done.returncode == 0
    assert "pass" in done.stdout and "none" in done.stdout


def test_the_task_of_explain_is_the_task_of_the_daemon(hawkerd, hawker, origin):
    origin.add("/verify/model", signed=True)
    url = origin.signed_url("/verify/model")
    assert task_id(hawkerd("--explain", url).stdout) == hawker.fetch(url).cache_status["key"]


def test_check_is_quiet_about_a_good_file(hawkerd):
    assert hawkerd("--check").returncode == 0


def test_check_accepts_the_file_we_ship(hawkerd):
    done = hawkerd("--check", config=daemon.REPOSITORY / "etc" / "hawker.yaml")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text, parts", [
    ("cache:\n  max_sise: 1GiB\n", ["max_sise", "cache.max_size", "2"]),
    ("listen: 127.0.0.1:0\nrulez: []\n", ["rulez", "rules", "2"]),
    ("rules:\n  - name: a\n    match: x\n    acess: shared\n", ["acess", "access", "4"]),
    ("rules:\n  - name: a\n    match: '(x'\n    access: shared\n", ["a", "match"]),
    ("rules:\n  - name: a\n    match: x\n    access: sharing\n", ["sharing", "shared"]),
    ("cache:\n  max_size: much\n", ["much", "max_size"]),
    ("destinations:\n  connect_ports: [99999]\n", ["99999"]),
    ("cache: [\n", [""]),
])
def test_check_names_what_is_wrong_and_where(hawkerd, text, parts):
    bad = hawkerd.folder / "bad.yaml"
    bad.write_text(text)
    done = hawkerd("--check", config=bad)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "bad.yaml" in said
    for part in parts:
        assert part in said, said


def test_a_bad_file_is_refused_at_start_too(hawkerd):
    bad = hawkerd.folder / "bad.yaml"
    bad.write_text("cache:\n  max_sise: 1GiB\n")
    done = hawkerd(config=bad)
    assert done.returncode != 0
    assert "max_sise" in done.stderr and "max_size" in done.stderr


def test_a_missing_file_is_named(hawkerd):
    done = hawkerd("--check", config="/no/such/file.yaml")
    assert done.returncode != 0
    assert "/no/such/file.yaml" in done.stderr


def test_print_config_tells_values_and_where_they_come_from(hawkerd):
    text = hawkerd("--print-config").stdout
    assert re.search(r"max_size.*2\s?GiB", text)
    assert "drain_timeout" in text


def test_a_flag_beats_the_environment_and_that_beats_the_file(hawkerd):
    def max_size(*flags, **environment):
        text = hawkerd("--print-config", *flags, env=environment).stdout
        return re.search(r"max_size\W+(\w+)", text)[1]

    assert max_size() == "2GiB"
    assert max_size(HAWKER_CACHE_MAX_SIZE="3GiB") == "3GiB"
    assert max_size("--cache.max_size=4GiB", HAWKER_CACHE_MAX_SIZE="3GiB") == "4GiB"


def test_an_unknown_flag_names_the_nearest_one(hawkerd):
    done = hawkerd("--cache.max_sise=1GiB")
    assert done.returncode != 0
    assert "cache.max_size" in done.stderr


@pytest.mark.parametrize("flag, meant", [("--chek", "--check"), ("--print-confg", "--print-config"), ("--explian=x", "--explain")])
def test_an_errand_is_a_nearest_flag_too(hawkerd, flag, meant):
    done = hawkerd(flag)
    assert done.returncode == 2 and f"did you mean '{meant}'?" in done.stderr


@pytest.mark.parametrize("text", [
    "host: {idc: a}\nlog: {level: info}\nproxy:\n  rules: [{regex: blobs}]\n",
    "aliveTime: 0s\nproxy:\n  proxies: [{regx: blobs}]\n",
])
def test_a_dfdaemons_file_is_told_how_to_become_ours(hawkerd, text):
    theirs = hawkerd.folder / "dfdaemon.yaml"
    theirs.write_text(text)
    done = hawkerd("--check", config=theirs)
    assert done.returncode == 2 and f"run `hawker config import {theirs} > hawker.yaml`" in done.stderr


@pytest.mark.skipif(not HAWKER.exists(), reason=f"{HAWKER} is not built")
@pytest.mark.parametrize("words, said", [
    (["lss"], "unknown command 'lss'; did you mean 'ls'?"),
    (["ca", "shwo"], "unknown command 'shwo'; did you mean 'show'?"),
    (["--json", "frobnicate"], "unknown command 'frobnicate'; see hawker --help"),
    ([], "A subcommand is required"),
])
def test_hawker_names_the_nearest_command(words, said):
    done = run(HAWKER, *words, check=False, within=20)
    assert done.returncode == 2 and said in done.stderr.decode()


@pytest.mark.skipif(not HAWKER.exists(), reason=f"{HAWKER} is not built")
def test_hawker_says_which_version_it_is(hawkerd):
    said = run(HAWKER, "--version", within=20).stdout.decode().strip()
    assert said.startswith("hawker ") and said.split()[1] in hawkerd("--version", config=None).stdout


def test_version_names_the_libraries(hawkerd):
    done = hawkerd("--version", config=None)
    assert done.returncode == 0
    assert "hawker" in done.stdout and "curl" in done.stdout.lower()


def test_help_names_every_section(hawkerd):
    text = hawkerd("--help", config=None).stdout
    for word in ("--config", "--explain", "--check", "cache.directory", "destinations.allow"):
        assert word in text

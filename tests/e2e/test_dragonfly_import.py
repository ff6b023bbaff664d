"""`hawker config import`: the files of Dragonfly's two guides become configurations that hawkerd runs as they are."""

import os
import pathlib
import shutil
import subprocess

import pytest

from harness import daemon
from harness.authority_commands import HAWKER
from harness.content import KIB, Content
from harness.waiting import patience

pytestmark = [pytest.mark.daemon, pytest.mark.skipif(not HAWKER.exists(), reason=f"{HAWKER} is not built")]
FILES = pathlib.Path(__file__).parent / "dragonfly"
LFS_HOST = "github-cloud.githubusercontent.com"
BODY = Content(300 * KIB)


def run(*command, check=True):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=patience(20), check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def imported(name, *options, **how):
    return run(HAWKER, "config", "import", *options, FILES / f"{name}.yaml", **how)


class ImportedHawker(daemon.Hawker):
    """Runs an imported file to the letter; where this machine's tests need another value, the environment has it."""

    def __init__(self, folder, text, options):
        own = {"listen": "127.0.0.1:0", "clients": "", "admin.listen": "127.0.0.1:0", "cache.min_free": "64MiB",
               "cache.directory": str(folder / "cache"), "destinations.allow": "127.0.0.0/8", **options}
        variables = [f"HAWKER_{key.upper().replace('.', '_')}={value}" for key, value in own.items()]
        super().__init__(folder, own, [], ["env", *variables])
        self.text = text

    def write_config(self):
        self.config.write_text(self.text)


@pytest.fixture
def start_imported(tmp_path, authority):
    running = []

    def start(name, **options):
        options = {key.replace("__", "."): value for key, value in options.items()}
        running.append(ImportedHawker(tmp_path, imported(name).stdout, {"origin.ca_file": str(authority.ca_file), **options}))
        return running[-1].start()

    yield start
    for hawker in running:
        hawker.finish()


@pytest.mark.parametrize("name", [file.stem for file in FILES.glob("*.yaml")])
def test_what_is_imported_passes_the_check(name, tmp_path):
    file = tmp_path / "hawker.yaml"
    file.write_text(imported(name).stdout)
    run(daemon.BINARY, "--check", "--config", file)


@pytest.mark.parametrize("text", [
    'proxy: {registryMirror: {addr: "https://user:hunter22@reg.example/?x=1"}, rules: []}',
    "proxy: {registryMirror: {addr: index.docker.io}, rules: [{regex: a, filteredQueryParams: []}]}",
    "proxy: {server: {ip: myhost, port: 99999}, rules: {regex: a}}",
    "proxy: {whiteList: [{regx: 'a.*'}]}",
    "download: {concurrentPieceCount: 128}\ngc: {policy: {diskThreshold: 500gib, diskHighThresholdPercent: '80%'}}\nproxy: {rules: []}",
])
def test_whatever_stood_there_the_result_passes_the_check_and_holds_no_password(text, tmp_path):
    theirs, ours = tmp_path / "dfdaemon.yaml", tmp_path / "hawker.yaml"
    theirs.write_text(text)
    ours.write_text(run(HAWKER, "config", "import", theirs).stdout)
    run(daemon.BINARY, "--check", "--config", ours)
    strict = run(HAWKER, "config", "import", "--strict", theirs, check=False)
    assert strict.returncode == 1 and not strict.stdout
    assert "hunter22" not in ours.read_text() + strict.stderr


@pytest.mark.parametrize("name", ["huggingface-rust", "huggingface-go"])
def test_the_hugging_face_guide_works_to_its_last_step(start_imported, tls_origin, name):
    model = tls_origin.add("/repos/ab/cd/model", BODY, signed=True)
    hawker = start_imported(name)
    # The guide's adapter says http:// to the proxy; useTLS and useHTTPS make it https:// again.
    first = hawker.fetch_until_stored(tls_origin.signed_url("/repos/ab/cd/model", scheme="http"))
    assert first.body == BODY.bytes()
    before = model.bytes_sent
    second = hawker.fetch(tls_origin.signed_url("/repos/ab/cd/model", scheme="http"))
    assert second.body == BODY.bytes() and second.cache_status["hit"]
    assert model.bytes_sent - before <= 1
    done = hawker.log_line(r"task done cost=\d+ms task=[0-9a-f]{64} ")
    assert "/repos/ab/cd/model" in done


@pytest.mark.parametrize("name", ["huggingface-rust", "huggingface-go"])
def test_the_guides_adapter_takes_the_proxy_for_the_server(start_imported, tls_origin, name):
    model = tls_origin.add("/repos/ab/cd/model", BODY)
    assert "registry_mirror: 'https://cdn-lfs.huggingface.co'" in imported(name).stdout
    hawker = start_imported(name, registry_mirror=tls_origin.url(""))
    with hawker.connect() as connection:
        connection.request("GET", "/repos/ab/cd/model", {"Host": f"{hawker.proxy[0]}:{hawker.proxy[1]}"})
        response = connection.response("GET")
    assert (response.status, response.body) == (200, BODY.bytes())
    hawker.wait_until_stored(response)
    assert hawker.fetch(tls_origin.url("/repos/ab/cd/model", scheme="http")).cache_status["hit"]
    assert len(model.gets) <= 2


def test_without_an_upstream_such_requests_are_refused_with_the_cure(hawker):
    with hawker.connect() as connection:
        connection.request("GET", "/repos/x", {"Host": "anything.example"})
        refused = connection.response("GET")
    assert refused.status == 400 and b"registry_mirror: https://HOST" in refused.body


@pytest.mark.parametrize("name", ["git-lfs-rust", "git-lfs-go"])
def test_the_git_lfs_guide_works_to_its_last_step(start_imported, origin, name):
    path = f"/alambic/media/1/ab/cd/{BODY.sha256()}"
    model = origin.add(path, BODY)
    hawker = start_imported(name, origin__hosts=f"{LFS_HOST}=127.0.0.1")

    def url(number):
        return f"http://{LFS_HOST}:{origin.port}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={number}&X-Amz-Signature={number}"

    assert hawker.fetch_until_stored(url(1)).body == BODY.bytes()
    before = model.bytes_sent
    again = hawker.fetch(url(2))
    assert again.body == BODY.bytes() and again.cache_status["hit"]
    assert model.bytes_sent - before <= 1
    assert LFS_HOST in hawker.log_line(r"task done cost=\d+ms task=[0-9a-f]{64} ")


def test_the_query_decides_nothing_where_it_did_not(start_imported, origin):
    origin.add("/other", BODY)
    hawker = start_imported("git-lfs-rust")
    response = hawker.fetch(origin.url("/other", "path=blobs/sha256:1"))
    assert response.status == 200 and not hawker.tasks()


def test_strict_prints_nothing_and_ends_with_1_where_something_is_lost():
    refused = imported("huggingface-go", "--strict", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "proxy.registryMirror.dynamic" in refused.stderr
    assert imported("git-lfs-rust", "--strict").stdout == imported("git-lfs-rust").stdout


def test_standard_input_is_a_file_too(tmp_path):
    shutil.copy(FILES / "git-lfs-rust.yaml", tmp_path / "in.yaml")
    with open(tmp_path / "in.yaml", "rb") as text:
        done = subprocess.run([str(HAWKER), "config", "import", "-"], stdin=text, capture_output=True, text=True,
                              env=os.environ, timeout=patience(20), check=True)
    assert "dragonfly-2" in done.stdout

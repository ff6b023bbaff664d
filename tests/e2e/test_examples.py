"""The files of examples/: those that loopback can run are run, with nothing changed but what they say is to be changed; of the others
the syntax is checked, and what hawkerd reads of them is given to hawkerd."""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest
import yaml

from harness import daemon, pypi
from harness.clients import environment, run, sha256_of
from harness.content import MIB, Content, Text
from harness.interception import HAWKER, OurAuthority
from harness.origin import Origin
from harness.rules import rule
from harness.small_hub import SmallHub
from harness.waiting import patience

pytestmark = pytest.mark.clients

EXAMPLES = daemon.REPOSITORY / "examples"
FILES = sorted(path for path in EXAMPLES.rglob("*") if path.is_file() and path.suffix != ".pyc")
MODEL = Content(6 * MIB, seed=8)
AGENT = "http://127.0.0.1:65001"  # where the examples look for hawkerd


def changed(name, **changes):
    """The example's text after a user has changed what is to be changed."""
    text = (EXAMPLES / name).read_text()
    for old, new in changes.pop("lines", {}).items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    return text


def written(folder, name, lines):
    place = folder / name.replace("/", "-")
    place.write_text(changed(name, lines=lines))
    return place


def package_rules(host, stand_in):
    """Those of packages.yaml, for a host of the test's own."""
    rules = yaml.safe_load((EXAMPLES / "packages.yaml").read_text())["rules"]
    return [{**each, "match": each["match"].replace(re.escape(host), re.escape(stand_in))} for each in rules]


@pytest.fixture
def store(authority):
    """A TLS server of another name than `tls_origin`: localhost."""
    server = Origin(tls=authority.server_context(), name="localhost")
    yield server
    server.close()


def tunnels(*origins):
    return {"origin.hosts": ["localhost=127.0.0.1"], "destinations.connect_ports": [str(origin.port) for origin in origins]}


# Every file ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_every_example_says_what_to_do_with_it(path):
    index = (EXAMPLES / "README.md").read_text()
    name = str(path.relative_to(EXAMPLES))
    if name == "README.md":
        return
    assert f"]({name})" in index, "examples/README.md has a row for each file"
    top = "\n".join(path.read_text().splitlines()[:20])
    if path.suffix == ".json":  # has no comments: its row says it all
        top = next(line for line in index.splitlines() if f"]({name})" in line)
    assert "Change: " in top or "change" in top
    assert re.search(r"Run by tests/e2e/test_\w+\.py", top) or re.search(r"[Nn]ot run here: needs ", top)


@pytest.mark.daemon
def test_what_hawkerd_reads_of_them_passes_its_check(tmp_path):
    configurations = [(EXAMPLES / "packages.yaml").read_text()]
    for document in yaml.safe_load_all((EXAMPLES / "kubernetes/daemonset.yaml").read_text()):
        assert document["apiVersion"] and document["metadata"]["name"] == "hawker"
        configurations += document.get("data", {}).values()
    for name in ("git-lfs/gitconfig-mirror", "containerd/hosts.toml"):  # in their comments
        lines = (EXAMPLES / name).read_text().splitlines()
        at = lines.index("#     mirrors:")
        configurations.append("\n".join(line.removeprefix("#     ") for line in lines[at : at + 2]))
    assert len(configurations) == 4
    for text in configurations:
        file = tmp_path / "hawker.yaml"
        file.write_text(text)
        run(daemon.BINARY, "--check", "--config", file)


def test_the_others_are_well_formed():
    hosts = tomllib.loads((EXAMPLES / "containerd/hosts.toml").read_text())
    assert list(hosts["host"].values()) == [{"capabilities": ["pull", "resolve"]}]
    assert json.loads((EXAMPLES / "docker/daemon.json").read_text())["registry-mirrors"] == list(hosts["host"])
    jobs = yaml.safe_load((EXAMPLES / "ci/github-actions.yml").read_text())["jobs"]
    runner = tomllib.loads((EXAMPLES / "ci/gitlab-runner.toml").read_text())["runners"][0]
    variables = dict(each.split("=", 1) for each in runner["environment"])
    assert variables == jobs["build"]["env"]
    pod = list(yaml.safe_load_all((EXAMPLES / "kubernetes/daemonset.yaml").read_text()))[-1]["spec"]["template"]["spec"]
    names = {volume["name"] for volume in pod["volumes"]}
    for container in pod["containers"] + pod["initContainers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= names


# Hugging Face -------------------------------------------------------------------------------------------------------------


def python_example(name, python, hawker, authority, *arguments, **more):
    return run(python, EXAMPLES / "huggingface" / name, *arguments, within=120, env={
        "HAWKER": hawker.proxy_url, "HAWKER_LARGE_FILES": "localhost", "REQUESTS_CA_BUNDLE": str(authority.ca_file),
        "SSL_CERT_FILE": str(authority.ca_file), "PYTHONDONTWRITEBYTECODE": "1", **more}).stdout.decode()


def large_files_rule():
    return rule("large-files", r"^http://localhost:\d+/", origin_scheme="https")


@pytest.mark.daemon
@pytest.mark.parametrize("url", [f"http://cdn-lfs-us-1.hf.co/repos/aa/bb/{'c' * 64}/{'d' * 64}",
                                 f"http://us.aws.cdn.hf.co/xet-bridge-us/{'a' * 24}/{'b' * 64}",
                                 f"http://cas-bridge.xethub.hf.co/xet-bridge-us/{'a' * 24}/{'b' * 64}"])
@pytest.mark.parametrize("example", ["requests_adapter.py", "huggingface_hub_1x.py"])
def test_the_hosts_of_large_files_are_those_of_the_shipped_rules(example, url):
    pattern = re.search(r'"HAWKER_LARGE_FILES", r"(.*)"\)', (EXAMPLES / "huggingface" / example).read_text())[1]
    assert re.fullmatch(pattern, url.split("/")[2])
    assert not re.fullmatch(pattern, "huggingface.co")
    said = run(daemon.BINARY, "--explain", url).stdout.decode()
    assert "https://" in said and "huggingface-" in said


def test_the_requests_adapter(start_hawker, authority, store, tmp_path):
    store.add("/repos/model", MODEL, signed=True)
    hawker = start_hawker(tunnels(store), rules=[large_files_rule()])
    said = [python_example("requests_adapter.py", sys.executable, hawker, authority, store.signed_url("/repos/model"),
                           tmp_path / "model") for _ in range(3)]
    assert sha256_of(tmp_path / "model") == MODEL.sha256()
    assert "uri-miss" in said[0] and "hit" in said[-1]
    assert store.bytes_sent <= 1.01 * MODEL.size


@pytest.mark.parametrize("client, example", [("hub0", "huggingface_hub_0x.py"), ("hub1", "huggingface_hub_1x.py")])
def test_huggingface_hub_without_a_mirror(start_hawker, authority, tls_origin, store, tmp_path, client, example):
    python = pypi.python(client)
    repo = SmallHub(tls_origin, store).repo("org/model", {"config.json": b"{}", "model.bin": MODEL})
    hawker = start_hawker(tunnels(tls_origin, store), rules=[large_files_rule()])
    for machine in ("one", "two"):
        said = python_example(example, python, hawker, authority, "org/model", "model.bin", repo.commit,
                              HF_ENDPOINT=tls_origin.url(""), HF_HOME=str(tmp_path / machine))
        assert sha256_of(said.strip().splitlines()[-1]) == MODEL.sha256()
    assert store.bytes_sent <= 1.01 * MODEL.size
    assert hawker.exchange(f"localhost:{store.port}", source="hit")["status"] == 200


# Git LFS ------------------------------------------------------------------------------------------------------------------


def assert_two_clones_read_the_objects_once(lfs_server, git):
    lfs_server.create({"weights.bin": MODEL})
    for _ in range(2):
        assert sha256_of(git.clone(lfs_server.repo) / "weights.bin") == MODEL.sha256()
    assert lfs_server.storage.bytes_sent <= 1.01 * MODEL.size


def test_git_lfs_through_the_proxy(start_hawker, lfs_server, git, tmp_path):
    hawker = start_hawker(rules=[rule("lfs", r"^http://[^/]+/lfs/objects/[0-9a-f]{2}/[0-9a-f]{2}/(?P<sha256>[0-9a-f]{64})", digest="sha256",
                                      origin_scheme="https")])
    file = written(tmp_path, "git-lfs/gitconfig-proxy", {AGENT: hawker.proxy_url,
                                                         "github-cloud.githubusercontent.com": lfs_server.storage.host})
    git.configure("include.path", file)
    assert_two_clones_read_the_objects_once(lfs_server, git)


def test_git_lfs_through_a_mirror(start_hawker, lfs_server, git, tmp_path):
    hawker = start_hawker({"mirrors": [{"listen": "127.0.0.1:0", "kind": "git-lfs", "upstreams": [lfs_server.base]}]})
    file = written(tmp_path, "git-lfs/gitconfig-mirror", {"http://127.0.0.1:8091": hawker.mirrors[0],
                                                          "https://github.com": lfs_server.base})
    git.configure("include.path", file)
    assert_two_clones_read_the_objects_once(lfs_server, git)


@pytest.fixture
def plain_settings(monkeypatch):
    """What this machine tells pip and npm by its environment is no part of an example."""
    for name in list(os.environ):
        if name.lower().startswith(("pip_", "npm_")) or name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)


# Packages -----------------------------------------------------------------------------------------------------------------


def wheel(name, version, payload):
    """The smallest wheel that pip takes."""
    info = f"{name}-{version}.dist-info"
    files = {f"{name}.py": payload, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return out.getvalue()


@pytest.mark.skipif(not HAWKER.exists(), reason=f"{HAWKER} is not built")
def test_pip(plain_settings, start_hawker, authority, tls_origin, store, tmp_path):
    python = pypi.python("modelscope")  # any environment has a pip
    data = wheel("tiny", "1.0", "answer = 42\n# " + "x" * 200_000)
    place = f"/packages/ab/cd/{'e' * 60}/tiny-1.0-py3-none-any.whl"
    store.add(place, Text(data))
    page = f'<a href="{store.url(place)}#sha256={hashlib.sha256(data).hexdigest()}">tiny-1.0-py3-none-any.whl</a>'
    index = tls_origin.add("/simple/tiny/", Text(page.encode()), content_type="text/html")
    ours = OurAuthority(tmp_path / "ca", "localhost")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(ours.ca_file.read_text() + authority.ca_file.read_text())
    hawker = start_hawker({**tunnels(tls_origin, store), "ca.directory": str(ours.directory)},
                          rules=package_rules("files.pythonhosted.org", "localhost"))
    file = written(tmp_path, "pip/pip.conf", {AGENT: hawker.proxy_url, "/usr/local/share/hawker/ca-bundle.pem": str(bundle)})
    for machine in ("one", "two"):
        run(python, "-m", "pip", "install", "-q", "--no-cache-dir", "--disable-pip-version-check", "--target", tmp_path / machine,
            "--index-url", tls_origin.url("/simple"), "tiny", within=120, env={"PIP_CONFIG_FILE": str(file), "HOME": str(tmp_path)})
        assert (tmp_path / machine / "tiny.py").read_text().startswith("answer = 42")
    assert store.bytes_sent <= 1.01 * len(data)
    assert len(index.requests) == 2  # the index is asked every time


def test_npm(plain_settings, start_hawker, tls_origin, tmp_path):
    if not shutil.which("npm"):
        pytest.skip("no npm here")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in {"package/package.json": '{"name": "tiny", "version": "1.0.0"}', "package/index.js": "module.exports = 42;"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    data = out.getvalue()
    tarball = tls_origin.add("/tiny/-/tiny-1.0.0.tgz", Text(data))
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    version = {"name": "tiny", "version": "1.0.0", "dist": {  # as the registry says it, whatever the mirror's name is
        "tarball": "https://registry.npmjs.org/tiny/-/tiny-1.0.0.tgz", "integrity": integrity}}
    document = {"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    packument = tls_origin.add("/tiny", Text(json.dumps(document).encode()), content_type="application/json")
    hawker = start_hawker({"mirrors": [{"listen": "127.0.0.1:0", "kind": "generic", "upstreams": [tls_origin.url("")]}]},
                          rules=package_rules("registry.npmjs.org", "127.0.0.1"))
    file = written(tmp_path, "npm/npmrc", {"http://127.0.0.1:8095/": hawker.mirrors[0] + "/"})
    for machine in ("one", "two"):
        run("npm", "install", "tiny", "--userconfig", file, "--prefix", tmp_path / machine, "--cache", tmp_path / f"cache-{machine}",
            "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries", "0", within=120, env={"HOME": str(tmp_path)})
        assert (tmp_path / machine / "node_modules/tiny/index.js").read_text() == "module.exports = 42;"
    assert len(tarball.requests) == 1
    assert len(packument.requests) >= 2


def test_apt(start_hawker, origin, tmp_path):
    """An archive of one package, and an apt whose every path is the test's own."""
    if not (shutil.which("dpkg-deb") and shutil.which("apt-get")):
        pytest.skip("no apt here")
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: tiny\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: tiny\n"
    (tree / "DEBIAN/control").write_text(control)
    (tree / "payload").write_bytes(os.urandom(200_000))
    run("dpkg-deb", "--root-owner-group", "-b", tree, tmp_path / "tiny.deb")
    data = (tmp_path / "tiny.deb").read_bytes()
    listing = f"{control}Filename: pool/main/t/tiny/tiny_1.0_all.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
    package = origin.add("/debian/pool/main/t/tiny/tiny_1.0_all.deb", Text(data))
    index = origin.add("/debian/./Packages", Text(listing.encode()))
    hawker = start_hawker(rules=package_rules("nobody.example", "nobody.example"))
    file = written(tmp_path, "apt/95hawker", {AGENT: hawker.proxy_url})
    for machine in ("one", "two"):
        root = tmp_path / machine
        for folder in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d"):
            (root / folder).mkdir(parents=True)
        (root / "etc/sources.list").write_text(f"deb [trusted=yes] {origin.url('/debian')} ./\n")
        (root / "status").touch()
        shutil.copy(file, root / "etc/apt.conf.d/95hawker")
        options = {"Dir::Etc": root / "etc", "Dir::State": root / "state", "Dir::State::status": root / "status",
                   "Dir::Cache": root / "cache", "Dir::Etc::sourceparts": "-", "APT::Sandbox::User": "", "Acquire::Retries": 0}
        said = [f"-o{name}={value}" for name, value in options.items()]
        configuration = {"APT_CONFIG": str(root / "etc/apt.conf.d/95hawker")}
        for words in (["update"], ["download", "tiny"]):
            done = subprocess.run(["apt-get", "-q", *said, *words], cwd=root, env=environment(**configuration), capture_output=True,
                                  text=True, timeout=patience(60), check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        assert (root / "tiny_1.0_all.deb").read_bytes() == data
    assert len(package.gets) == 1
    assert len(index.gets) == 2  # with every update

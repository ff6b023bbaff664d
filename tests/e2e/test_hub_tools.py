"""Other programs that fetch from the Hugging Face Hub, through the mirror: JavaScript, Rust, transformers and datasets, git, llama.cpp's
requests, and tools that know only HTTP. Cold, warm and offline, as in test_hub_clients.py."""

import subprocess

import pytest

from harness import pypi
from harness.clients import run
from harness.content import MIB, Content
from harness.full_hub import MODEL, ODD, ODD_FILES, WEIGHTS, fill, sha, tiny_model
from harness.hub_machine import HubMachine
from harness.mirror_client import MirrorClient
from harness.secrets import plant

pytestmark = pytest.mark.clients

LLAMA = {"User-Agent": "llama-cpp/b7000", "Accept": "application/json"}
GGUF = Content(2 * MIB, seed=12)


@pytest.fixture
def hub(origin, other_origin):
    return fill(origin, other_origin, plant("hf_token_of_a_member"))


@pytest.fixture
def start_mirror(start_hawker, hub):
    def start(**keys):
        mirror = {"listen": "127.0.0.1:0", "kind": "huggingface", "upstreams": [hub.origin.url("")], "ref_ttl": "1h", **keys}
        hawker = start_hawker({"mirrors": [mirror]})
        return MirrorClient(hawker.mirrors[0]), hawker

    return start


def three_times(hub, mirror, hawker, use):
    """`use(mirror, name)` cold, warm and offline; warm, the CDN gives nothing, offline, nobody is asked."""
    use(mirror, "cold")
    sent, asked = hub.cdn.bytes_sent, len(hub.requests)
    use(mirror, "warm")
    assert hub.cdn.bytes_sent == sent
    warm = hub.requests[asked:]
    hawker.options["mirrors"][0]["offline"] = True
    hawker.stop()
    hawker.restart()
    before = len(hub.origin.requests)
    use(MirrorClient(hawker.mirrors[0]), "offline")
    assert len(hub.origin.requests) == before
    return warm


def test_javascript(start_mirror, hub, tmp_path):
    packages = pypi.node_packages("hub-js")
    mirror, hawker = start_mirror()

    def use(mirror, name):
        told = HubMachine(tmp_path / name, "node", mirror).run("hub_node.mjs", packages, mirror.url)
        expected = {
            "small": sha(MODEL["config.json"]), "large": WEIGHTS.sha256(), "part": WEIGHTS.sha256(1_000_000, 1_001_000),
            "large, xet: false": WEIGHTS.sha256(), "pull request": sha(b'{"proposed": true}'), "missing": None,
            "about": [WEIGHTS.size, f'"{WEIGHTS.sha256()}"', None], "files": sorted([*MODEL, "sub"]), "pages": 2345,
            "paths": sorted([len(MODEL["config.json"]), WEIGHTS.size]), "info": "1" * 40,
        }
        if name != "offline":
            expected |= {"missing repository": "HubApiError 401", "exists (by /raw/)": True}
        assert {call: told[call] for call in expected} == expected

    warm = three_times(hub, mirror, hawker, use)
    assert [each.target for each in warm] == ["/org/model/raw/main/config.json", "/api/models/org/nobody/revision/main"]


def test_transformers_and_datasets_and_rust(start_mirror, hub, tmp_path):
    program = pypi.python("hub1")
    parquet = tmp_path / "rows.parquet"
    code = f"import pyarrow as a, pyarrow.parquet as p; p.write_table(a.table({{'a': [5, 6]}}), {str(parquet)!r})"
    subprocess.run([program, "-c", code], check=True)
    hub.repo("org/tiny", tiny_model(), commit="e" * 40)
    hub.repo("org/rows", {"README.md": b"# Rows", "rows.csv": b"a,b\n1,2\n3,4\n"}, type="datasets", commit="f" * 40)
    hub.repo("org/columns", {"data/train.parquet": parquet.read_bytes()}, type="datasets", commit="0" * 40)
    mirror, hawker = start_mirror()

    def use(mirror, name):
        told = HubMachine(tmp_path / name, program, mirror).run("hub_libraries.py")
        assert told == {"config": ["bert", 8], "tokens": [2, 3], "csv": [1, 3], "parquet": [5, 6], "streamed": [1, 3], "rust": 5004}

    warm = three_times(hub, mirror, hawker, use)
    assert not warm, [each.line for each in warm]


def test_git_clones_with_lfs(start_mirror, hub, git, tmp_path):
    hub.repos[0].make_git(tmp_path)
    mirror, _ = start_mirror()
    for suffix in ("", ".git"):
        sent = hub.cdn.bytes_sent
        clone = git.clone(f"{mirror.url}/org/model{suffix}")
        assert {name: sha((clone / name).read_bytes()) for name in MODEL} == {name: sha(data) for name, data in MODEL.items()}
        assert hub.cdn.bytes_sent - sent <= (0 if suffix else 1.01 * WEIGHTS.size)
    # What came by git-lfs is what the Hub's own path names.
    assert mirror.get(hub.repos[0].resolve("model.bin")).body == WEIGHTS.bytes()


def test_llama_cpp_before_it_had_a_cache_of_its_own(start_mirror, hub):
    """-hf org/gguf:Q4_K_M as of 2025, request by request: manifest, HEAD, GET, and a GET that goes on after a break."""
    hub.repo("org/gguf", {"model-q4_k_m.gguf": GGUF}, commit="d" * 40)
    mirror, hawker = start_mirror()
    manifest = mirror.request("GET", "/v2/org/gguf/manifests/Q4_K_M", LLAMA)
    assert (manifest.status, b'"rfilename": "model-q4_k_m.gguf"' in manifest.body) == (200, True)

    def use(mirror, name):
        path = "/org/gguf/resolve/main/model-q4_k_m.gguf"
        head = mirror.request("HEAD", path, LLAMA)
        assert (head.status, head.header("Content-Length")) == (200, str(GGUF.size))
        assert head.header("ETag") == f'"{GGUF.sha256()}"' and head.header("Accept-Ranges") == "bytes"
        rest = mirror.request("GET", path, {**LLAMA, "Range": f"bytes={MIB}-"})
        assert (rest.status, rest.body) == (206, GGUF.bytes(MIB))
        hawker.wait_until_stored(mirror.request("GET", path, LLAMA))

    assert not three_times(hub, mirror, hawker, use)


def test_llama_cpp_since_it_shares_the_hubs_cache(start_mirror, hub):
    """As of 2026: references, the tree at the commit, HEAD and GET at the commit."""
    repo = hub.repo("org/gguf", {"model-q4_k_m.gguf": GGUF, "README.md": b"# A model"}, commit="d" * 40)
    mirror, hawker = start_mirror()

    def use(mirror, name):
        refs = mirror.request("GET", f"{repo.at}/refs", LLAMA)
        assert f'"targetCommit": "{repo.commit}"'.encode() in refs.body
        tree = mirror.request("GET", f"{repo.at}/tree/{repo.commit}?recursive=true", LLAMA)
        assert GGUF.sha256().encode() in tree.body
        path = repo.resolve("model-q4_k_m.gguf", repo.commit)
        assert mirror.request("HEAD", path, LLAMA).header("X-Linked-Size") == str(GGUF.size)
        answer = mirror.request("GET", path, LLAMA)
        hawker.wait_until_stored(answer)
        assert answer.body == GGUF.bytes()

    assert not three_times(hub, mirror, hawker, use)


def test_tools_that_know_only_http(start_mirror, hub, tmp_path):
    large = Content(40 * MIB, seed=13)
    repo = hub.repo("org/large", {"large.bin": large}, commit="d" * 40)
    odd = next(each for each in hub.repos if each.name == "org/odd")
    mirror, hawker = start_mirror()

    def use(mirror, name):
        folder = tmp_path / name
        folder.mkdir()
        url = mirror.url + repo.resolve("large.bin")
        whole, begun = folder / "large.bin", folder / "begun.bin"
        run("aria2c", "--no-conf", "-q", "-x16", "-s16", "-k1M", "-d", folder, "-o", "large.bin", url)
        assert sha(whole.read_bytes()) == large.sha256()
        for resume in (["curl", "-q", "-sSfL", "-C", "-", "-o", begun, url], ["wget", "-q", "-c", "-O", begun, url]):
            begun.write_bytes(large.bytes(0, 10 * MIB + 3))
            run(*resume)
            assert sha(begun.read_bytes()) == large.sha256()
        head = run("curl", "-q", "-sSfI", url).stdout.decode("latin-1").lower()
        assert f"content-length: {large.size}\r\n" in head and "accept-ranges: bytes\r\n" in head
        run("wget", "-q", "-O", begun, mirror.url + odd.resolve(ODD))
        assert begun.read_bytes() == ODD_FILES[ODD]
        assert run("curl", "-q", "-sS", "-r", "0-0", url).stdout == large.bytes(0, 1)
        parts = run("curl", "-q", "-sS", "-r", "0-9,100-109", url).stdout
        assert large.bytes(0, 10) in parts and large.bytes(100, 110) in parts

    assert not three_times(hub, mirror, hawker, use)

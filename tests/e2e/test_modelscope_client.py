"""`kind: modelscope` with ModelScope's own Python client: snapshots, single files, its command, big files in parts; and an older one."""

import contextlib
import signal

import pytest

from harness.clients import sha256_of
from harness.content import MIB, Content, Text
from harness.mirror_client import restarted
from harness.modelscope_client import ModelScopeMachine
from harness.modelscope_mirror import FILES, ODD, WEIGHTS, scope, start_mirror  # noqa: F401: some are fixtures
from harness.secrets import plant
from harness.small_modelscope import COMMIT
from harness.waiting import eventually

pytestmark = pytest.mark.clients


@pytest.fixture
def machine(tmp_path):
    count = iter(range(100))
    return lambda mirror, **more: ModelScopeMachine(tmp_path / f"machine-{next(count)}", mirror.url, **more)


def files_in(folder):
    return {str(path.relative_to(folder)): sha256_of(path) for path in folder.rglob("*")
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)}


def digests(files):
    return {path: (Text(data) if isinstance(data, bytes) else data).sha256() for path, data in files.items()}


@pytest.mark.parametrize("type", ["models", "datasets"])
def test_a_snapshot_cold_warm_and_offline(start_mirror, scope, machine, type):
    repo = scope.repo("org/thing", FILES, type=type)
    mirror, hawker = start_mirror(ref_ttl="1h")
    action = "snapshot_download" if type == "models" else "dataset_snapshot_download"
    assert files_in(machine(mirror).run(action, "org/thing")) == digests(FILES)
    assert len(scope.asked_for("/repo")) == len(FILES) and len(scope.requests) <= len(FILES) + 3, scope.requests
    before = len(scope.requests)
    eventually(lambda: sum(task["complete"] for task in hawker.tasks()) >= len(FILES), "everything is stored")
    assert files_in(machine(mirror).run(action, "org/thing", max_workers=8)) == digests(FILES)
    assert len(scope.requests) == before, [each.path + each.query[:40] for each in scope.requests]
    mirror = restarted(hawker, offline=True)
    assert files_in(machine(mirror).run(action, "org/thing")) == digests(FILES)
    assert len(scope.requests) == before


def test_single_files_by_branch_tag_and_commit(start_mirror, scope, machine):
    repo = scope.repo("org/model", FILES)
    repo.push(FILES, tag="v1.0")
    dataset = scope.repo("org/data", FILES, type="datasets")
    mirror, _ = start_mirror()
    client = machine(mirror)
    for revision in ("master", "v1.0", COMMIT):
        path = client.run("model_file_download", "org/model", "model.bin", revision=revision)
        assert sha256_of(path) == WEIGHTS.sha256()
    path = client.run("dataset_file_download", "org/data", ODD)
    assert path.read_bytes() == FILES[ODD]
    assert scope.cdn.bytes_sent <= 1.01 * WEIGHTS.size
    assert "404" in client.objection("model_file_download", "org/model", "missing.bin", revision="master")


def test_the_modelscope_command(start_mirror, scope, machine, tmp_path):
    scope.repo("org/model", FILES)
    mirror, _ = start_mirror()
    client = machine(mirror)
    done = client.command("download", "--model", "org/model", "--local_dir", str(tmp_path / "here"))
    assert done.returncode == 0, done.stderr
    assert files_in(tmp_path / "here") == digests(FILES)
    done = client.command("download", "--model", "org/model", "missing.bin", "--local_dir", str(tmp_path / "there"))
    assert done.returncode != 0


def test_a_token_of_the_client_opens_its_private_repository(start_mirror, scope, machine):
    token = plant("modelscope-client-CANARY")
    scope.repo("org/private", FILES, token=token)
    mirror, _ = start_mirror()
    owner = machine(mirror, MODELSCOPE_API_TOKEN=token)
    assert files_in(owner.run("snapshot_download", "org/private")) == digests(FILES)
    for stranger in (machine(mirror), machine(mirror, MODELSCOPE_API_TOKEN="another-CANARY")):
        assert "403" in stranger.objection("snapshot_download", "org/private")


@pytest.mark.parametrize("type", ["models", "datasets"])
def test_a_client_from_before_1_38_wants_https(start_mirror, scope, tmp_path, authority, type):
    # Its cookie is for a host name with the port in it, so private repositories need port 443: not here.
    scope.repo("org/thing", FILES, type=type)
    mirror, _ = start_mirror(tls={"certificate": str(authority.certificate), "key": str(authority.key)})
    client = ModelScopeMachine(tmp_path / "old", mirror.url, "modelscope-old", REQUESTS_CA_BUNDLE=str(authority.ca_file))
    action = "snapshot_download" if type == "models" else "dataset_snapshot_download"
    assert files_in(client.run(action, "org/thing", local_dir=str(tmp_path / "here"))) == digests(FILES)


def test_many_threads_fetch_parts_of_one_big_file(start_mirror, scope, machine):
    big = Content(24 * MIB, seed=5)
    scope.repo("org/big", {"big.bin": big})
    mirror, _ = start_mirror()
    client = machine(mirror, MODELSCOPE_DOWNLOAD_PARALLEL_THRESHOLD_MB="4", MODELSCOPE_DOWNLOAD_PARALLEL_WORKERS="4",
                     MODELSCOPE_DOWNLOAD_PART_SIZE_MB="4")
    assert sha256_of(client.run("snapshot_download", "org/big") / "big.bin") == big.sha256()
    assert scope.cdn.bytes_sent <= 1.01 * big.size


def test_a_killed_client_goes_on_where_it_was(start_mirror, scope, machine):
    big = Content(24 * MIB, seed=6)
    scope.repo("org/big", {"big.bin": big})
    mirror, hawker = start_mirror(bandwidth="4MiB")
    client = machine(mirror)
    process = client.start("snapshot_download", "org/big")

    def has_some():
        with contextlib.suppress(FileNotFoundError):
            return any(path.stat().st_size > 2 * MIB for path in client.folder.rglob("*.incomplete"))

    eventually(has_some, "some of it is here", within=60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert sha256_of(client.run("snapshot_download", "org/big") / "big.bin") == big.sha256()
    assert scope.cdn.bytes_sent <= 1.01 * big.size
    # The log has the second one's range.
    hawker.log_line('"status":206')

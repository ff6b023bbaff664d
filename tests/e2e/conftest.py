"""The fixtures: every test gets servers and a daemon of its own, on free ports, below its own temporary folder."""

import pathlib
import resource
import shutil
import tempfile

import pytest

from harness import daemon, lfs_server as lfs, nginx as nginx_module, secrets
from harness.certificates import Authority
from harness.daemon import Hawker
from harness.git import Git
from harness.mirror_client import MirrorClient
from harness.origin import Origin
from harness.small_registry import SmallRegistry

NEEDS_DAEMON = {"hawker", "start_hawker"}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """A folder of this run alone: pytest's usual one is tidied up by whichever run comes next, with ours still in it."""
    # A thousand clients are a thousand descriptors; an ordinary user's shell begins with about as many.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if hasattr(config, "workerinput") or config.option.basetemp:
        return
    config.option.basetemp = config.own_folder = tempfile.mkdtemp(prefix="hawker-e2e-")


def pytest_sessionfinish(session, exitstatus):
    """Left in place only for looking at what failed."""
    folder = getattr(session.config, "own_folder", None)
    if folder and exitstatus == 0:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    if exitstatus and getattr(config, "own_folder", None):
        terminalreporter.write_line(f"logs and configurations of this run: {config.own_folder}")


def pytest_collection_modifyitems(items):
    if daemon.BINARY.exists():
        return
    missing = pytest.mark.skip(reason=f"{daemon.BINARY} is not built; set HAWKERD to try another one")
    for item in items:
        if NEEDS_DAEMON & set(item.fixturenames) or item.get_closest_marker("daemon"):
            item.add_marker(missing)


@pytest.fixture(autouse=True, scope="session")
def no_secret_is_ever_printed():
    """After the last test: no planted secret stands in any log, admin answer or page of any daemon of this run."""
    yield
    for hawker in daemon.started:  # each was searched at its end; what a test did not end is searched here
        secrets.assert_none_in("\n".join([hawker.all_output(), *hawker.admin_answers]), hawker.folder)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def origin():
    server = Origin()
    yield server
    server.close()


@pytest.fixture
def other_origin():
    """A second host: another port is another origin."""
    server = Origin()
    yield server
    server.close()


@pytest.fixture
def tls_origin(authority):
    server = Origin(tls=authority.server_context())
    yield server
    server.close()


@pytest.fixture
def start_hawker(tmp_path, authority):
    """start_hawker({"fetch.connections": 1}, rules=[...]): a daemon with these options over the defaults of the tests."""
    running = []

    def start(options=None, rules=None, wrapper=()):
        folder = pathlib.Path(tmp_path) / f"hawker-{len(running) + 1}"
        folder.mkdir()
        options = {"origin.ca_file": str(authority.ca_file), **(options or {})}
        running.append(Hawker(folder, options, rules, wrapper))
        return running[-1].start()

    yield start
    for hawker in running:
        hawker.finish()


@pytest.fixture
def hawker(start_hawker):
    """A daemon with the rules of harness/rules.py."""
    return start_hawker()


@pytest.fixture
def nginx(tmp_path, authority):
    folder = tmp_path / "nginx"
    folder.mkdir()
    server = nginx_module.Nginx(folder, authority).start()
    yield server
    server.stop()


@pytest.fixture
def lfs_server(tmp_path, authority):
    folder = tmp_path / "lfs"
    folder.mkdir()
    server = lfs.LfsServer(folder, authority)
    yield server
    server.close()


@pytest.fixture
def tls_lfs_server(tmp_path, authority):
    """The whole host behind TLS, the git side too."""
    folder = tmp_path / "lfs"
    folder.mkdir()
    server = lfs.LfsServer(folder, authority, tls=True)
    yield server
    server.close()


@pytest.fixture
def git(tmp_path, authority):
    folder = tmp_path / "git"
    folder.mkdir()
    return Git(folder, authority)


@pytest.fixture
def registry(origin, other_origin):
    """An OCI registry with its token server, and its store."""
    return SmallRegistry(origin, other_origin)


@pytest.fixture
def second_registry(registry):
    """Another registry in front of the same store."""
    server = Origin()
    yield SmallRegistry(server, registry.store)
    server.close()


@pytest.fixture
def start_registry_mirror(start_hawker):
    """start_registry_mirror(upstream, ref_ttl="1ms"): its client, and the daemon."""

    def start(*upstreams, **keys):
        hawker = start_hawker({"mirrors": [{"listen": "127.0.0.1:0", "kind": "registry", "upstreams": list(upstreams), **keys}]})
        return MirrorClient(hawker.mirrors[0]), hawker

    return start

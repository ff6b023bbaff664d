"""Clients that Debian does not have: each in a place of its own, made by scripts/install_clients.sh."""

import shutil

import pytest

from harness.daemon import REPOSITORY

CLIENTS = REPOSITORY / "tests/e2e/clients"


def python(name):
    """The interpreter of tests/e2e/clients/<name>.txt; a test without it is skipped."""
    return _installed(name, CLIENTS / f"{name}.txt") / "bin/python"


def node_packages(name):
    """Where the packages of tests/e2e/clients/<name>.package.json are; a test without them, or without node, is skipped."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    return _installed(name, CLIENTS / f"{name}.package.json")


def _installed(name, wanted):
    place = REPOSITORY / "build/clients" / name
    installed = place / "installed.txt"
    if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
        pytest.skip(f"run scripts/install_clients.sh {name}")
    return place

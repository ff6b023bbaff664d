"""Clients that Debian does not have: each in an environment of its own, made by scripts/install_clients.sh."""

import pytest

from harness.daemon import REPOSITORY

CLIENTS = REPOSITORY / "tests/e2e/clients"


def python(name):
    """The interpreter of tests/e2e/clients/<name>.txt; a test without it is skipped."""
    place = REPOSITORY / "build/clients" / name
    wanted = (CLIENTS / f"{name}.txt").read_bytes()
    installed = place / "installed.txt"
    if not installed.exists() or installed.read_bytes() != wanted:
        pytest.skip(f"run scripts/install_clients.sh {name}")
    return place / "bin/python"

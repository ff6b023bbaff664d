"""Xet's storage, and machines that have never seen anything: the fixtures of its tests."""

import random

import pytest

from harness.cas import Cas
from harness.xet_client import XetMachine


@pytest.fixture
def cas():
    server = Cas()
    yield server
    server.close()


@pytest.fixture
def tls_cas(authority):
    server = Cas(authority.server_context())
    yield server
    server.close()


@pytest.fixture
def machine(tmp_path):
    """machine("one"): a machine that has never seen anything."""
    return lambda name, **settings: XetMachine(tmp_path / name, **settings)


def noise(size, seed):
    return random.Random(seed).randbytes(size)

"""A mirror of the stand-in ModelScope: the fixtures of its tests."""

import pytest

from harness.content import MIB, Content
from harness.mirror_client import MirrorClient
from harness.small_modelscope import SmallModelScope

WEIGHTS = Content(3 * MIB)
CONFIG = b'{"architectures": ["Small"]}'
ODD = "sub folder/ünï+cödé & 50%.txt"
FILES = {"config.json": CONFIG, "model.bin": WEIGHTS, ODD: b"odd\n"}


@pytest.fixture
def scope(origin, other_origin):
    return SmallModelScope(origin, other_origin)


@pytest.fixture
def start_mirror(start_hawker, scope):
    """start_mirror(offline=True): a mirror with these keys, and the daemon."""

    def start(**keys):
        mirror = {"listen": "127.0.0.1:0", "kind": "modelscope", "upstreams": [scope.origin.url("")], **keys}
        hawker = start_hawker({"mirrors": [mirror]})
        return MirrorClient(hawker.mirrors[0]), hawker

    return start

"""What is on the disk alone: no loop waits for it, and nobody's bytes are wrong."""

import os
import pathlib
import re

import pytest

from harness.content import MIB, Content


def forget(folder):
    """Takes the data files out of memory, where the file system has another place for them."""
    os.sync()
    for path in pathlib.Path(folder).rglob("pieces/*/*"):
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def read_from_disk(pid):
    """Bytes that each thread had brought in from the disk: (loops, all the others)."""
    loops = others = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        counted = int(re.search(r"^read_bytes: (\d+)", (task / "io").read_text(), re.MULTILINE).group(1))
        if (task / "comm").read_text().strip() == "hawkerd-loop":
            loops += counted
        else:
            others += counted
    return loops, others


def test_cold_bytes_are_right_and_no_loop_reads_the_disk(hawker, origin):
    blob = origin.add("/shared/model", Content(24 * MIB))
    hawker.fetch_until_stored(origin.url("/shared/model"))
    before = read_from_disk(hawker.pid)
    forget(hawker.options["cache.directory"])
    assert hawker.fetch(origin.url("/shared/model")).sha256 == blob.content.sha256()
    for start in range(0, 20 * MIB, 3 * MIB + 4099):
        forget(hawker.options["cache.directory"])
        part = hawker.fetch(origin.url("/shared/model"), headers={"Range": f"bytes={start}-{start + 2 * MIB}"})
        assert part.body == blob.content.bytes(start, start + 2 * MIB + 1)
    loops, others = (after - earlier for after, earlier in zip(read_from_disk(hawker.pid), before))
    if others == 0:
        pytest.skip("this file system keeps what it is told to forget")
    assert loops == 0


def test_a_client_that_stops_in_the_middle_of_a_cold_body_holds_nobody(start_hawker, origin):
    hawker = start_hawker({"io_threads": 1})
    blob = origin.add("/shared/model", Content(24 * MIB))
    hawker.fetch_until_stored(origin.url("/shared/model"))
    forget(hawker.options["cache.directory"])
    stalled = hawker.connect(receive_buffer=16 << 10)
    stalled.request("GET", origin.url("/shared/model"))
    begun = stalled.response(most=1 * MIB)
    assert begun.body == blob.content.bytes(0, begun.length)
    forget(hawker.options["cache.directory"])
    assert hawker.fetch(origin.url("/shared/model")).sha256 == blob.content.sha256()
    stalled.abort()
    forget(hawker.options["cache.directory"])
    assert hawker.fetch(origin.url("/shared/model")).sha256 == blob.content.sha256()

"""What the daemon's threads ask of the heap, of LMDB and of their sockets: tests/counters, preloaded."""

import collections
import mmap
import struct

from harness.daemon import BINARY

LIBRARY = BINARY.parent / "tests/libhawker_counters.so"
ROWS = 256
ROW = struct.Struct("=4Q")  # as in tests/counters/counters.cpp

Counts = collections.namedtuple("Counts", "allocations frees index_writes sends")


class Counters:
    """One file of counts; `wrapper` starts a daemon that writes them."""

    def __init__(self, folder):
        file = folder / "counters"
        file.write_bytes(bytes(ROWS * ROW.size))
        with open(file, "r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), 0)
        self.wrapper = ["env", f"LD_PRELOAD={LIBRARY}", f"HAWKER_COUNTERS={file}"]

    def rows(self):
        """One Counts for each thread there ever was."""
        return [Counts._make(row) for row in ROW.iter_unpack(self._map[:])]


class Spent:
    """with Spent(counters) as spent: ... and then `spent.by_senders()`: what those threads spent meanwhile that wrote to
    sockets (the loops), and `spent.by_others()`."""

    def __init__(self, counters):
        self._counters = counters

    def __enter__(self):
        self._before = self._counters.rows()
        return self

    def __exit__(self, *_):
        now = zip(self._before, self._counters.rows())
        self._rows = [Counts(*(after - before for before, after in zip(*rows))) for rows in now]

    def by_senders(self):
        return self._sum(row for row in self._rows if row.sends)

    def by_others(self):
        return self._sum(row for row in self._rows if not row.sends)

    @staticmethod
    def _sum(rows):
        return Counts(*map(sum, zip(Counts(0, 0, 0, 0), *rows)))

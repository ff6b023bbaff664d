"""Bodies of any size that cost nothing to make and cannot be mixed up.

A body repeats a block of random bytes whose length is a prime above 1 MiB. No two pieces of any power-of-two size are equal, so
that a byte at a wrong offset changes the digest; and a range of it is a slice of memory, whatever the size.
"""

import functools
import hashlib
import random

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

_PERIOD = 1_048_583


@functools.lru_cache(maxsize=16)
def _tape(seed):
    return memoryview(random.Random(seed).randbytes(_PERIOD) * 2)


@functools.lru_cache(maxsize=256)
def _digest(seed, start, stop):
    digest = hashlib.sha256()
    for run in Content(stop, seed).runs(start, stop):
        digest.update(run)
    return digest.hexdigest()


class Content:
    def __init__(self, size, seed=1):
        self.size = size
        self.seed = seed

    def runs(self, start=0, stop=None, most=_PERIOD):
        """Views that make up [start, stop), none longer than `most`."""
        stop = self.size if stop is None else stop
        tape = _tape(self.seed)
        while start < stop:
            length = min(stop - start, most, _PERIOD)
            phase = start % _PERIOD
            yield tape[phase : phase + length]
            start += length

    def bytes(self, start=0, stop=None):
        return b"".join(self.runs(start, stop))

    def sha256(self, start=0, stop=None):
        return _digest(self.seed, start, self.size if stop is None else stop)

    def write_to(self, path):
        with open(path, "wb") as file:
            for run in self.runs():
                file.write(run)


class Text(Content):
    """A short body that is given, not made."""

    def __init__(self, data):
        super().__init__(len(data))
        self.data = data

    def runs(self, start=0, stop=None, most=_PERIOD):
        stop = self.size if stop is None else stop
        for offset in range(start, stop, most):
            yield memoryview(self.data)[offset : min(stop, offset + most)]

    def sha256(self, start=0, stop=None):
        return hashlib.sha256(self.bytes(start, stop)).hexdigest()

"""What hf_xet uploads, as bytes: xorbs (chunks, one after the other) and shards (which chunks make up which file).

Written after the public specification of the Xet protocol. Hashes are kept as the text that stands in URLs: four 64-bit numbers,
each written with its highest digit first although its bytes come lowest first.
"""

import dataclasses
import hashlib
import struct
import time

_CHUNK_HEADER = struct.Struct("<B3sB3s")
_ENTRY = 48  # every entry of a shard is this long
_BOOKEND = b"\xff" * 32 + bytes(16)
_MAGIC = b"HFRepoMetaData\0"
_FOOTER = 200
_WITH_VERIFICATION, _WITH_METADATA = 1 << 31, 1 << 30


def text_of(raw):
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", raw))


def bytes_of(text):
    return struct.pack("<4Q", *(int(text[at : at + 16], 16) for at in range(0, 64, 16)))


class Xorb:
    """A serialised xorb, and where its chunks lie in it."""

    def __init__(self, data):
        self.data = data
        self.offsets = [0]  # of chunk i in `data`; one more at the end of the last
        self.lengths = []  # of chunk i, unpacked
        while self.offsets[-1] < len(data) and data[self.offsets[-1]] == 0:  # a footer begins with a letter
            _, packed, scheme, unpacked = _CHUNK_HEADER.unpack_from(data, self.offsets[-1])
            end = self.offsets[-1] + _CHUNK_HEADER.size + int.from_bytes(packed, "little")
            if scheme > 2 or end > len(data):
                raise ValueError("a chunk that is none")
            self.offsets.append(end)
            self.lengths.append(int.from_bytes(unpacked, "little"))
        if not self.lengths:
            raise ValueError("a xorb without chunks")
        self.etag = f'"{hashlib.md5(data).hexdigest()}"'

    def span(self, chunks):
        """(first, last) byte of the chunks [start, end)."""
        return self.offsets[chunks[0]], self.offsets[chunks[1]] - 1

    def unpacked(self, chunks):
        return sum(self.lengths[chunks[0] : chunks[1]])


@dataclasses.dataclass
class Term:
    xorb: str
    chunks: tuple  # [start, end)
    unpacked: int


@dataclasses.dataclass
class File:
    hash: str
    terms: list
    sha256: str

    @property
    def size(self):
        return sum(term.unpacked for term in self.terms)


class Shard:
    """`files`, and `xorbs`: {hash: raw entries of its chunks}, as they stood in an upload."""

    def __init__(self, data):
        if not data.startswith(_MAGIC) or struct.unpack_from("<Q", data, 32)[0] != 2:
            raise ValueError("not a shard of version 2")
        self.header = data[:32]
        self.files = []
        self.xorbs = {}
        at = _ENTRY
        while data[at : at + 32] != _BOOKEND[:32]:
            at = self._read_file(data, at)
        at += _ENTRY
        while data[at : at + 32] != _BOOKEND[:32]:
            count = struct.unpack_from("<I", data, at + 36)[0]
            self.xorbs[text_of(data[at : at + 32])] = data[at : at + _ENTRY * (count + 1)]
            at += _ENTRY * (count + 1)

    def _read_file(self, data, at):
        flags, count = struct.unpack_from("<II", data, at + 32)
        file = File(text_of(data[at : at + 32]), [], "")
        for entry in range(at + _ENTRY, at + _ENTRY * (count + 1), _ENTRY):
            _, unpacked, start, end = struct.unpack_from("<IIII", data, entry + 32)
            file.terms.append(Term(text_of(data[entry : entry + 32]), (start, end), unpacked))
        at += _ENTRY * (count + 1)
        if flags & _WITH_VERIFICATION:
            at += _ENTRY * count
        if flags & _WITH_METADATA:
            file.sha256 = text_of(data[at : at + 32])
            at += _ENTRY
        self.files.append(file)
        return at


def chunk_hashes(entries):
    """Of one xorb's raw entries."""
    return [text_of(entries[at : at + 32]) for at in range(_ENTRY, len(entries), _ENTRY)]


def dedup_shard(header, entries):
    """The answer to a chunk query: one xorb that holds the chunk, no files."""
    files = _BOOKEND
    xorbs = entries + _BOOKEND
    files_at, xorbs_at = _ENTRY, _ENTRY + len(files)
    footer_at = xorbs_at + len(xorbs)
    now = int(time.time())
    no_tables = (footer_at, 0) * 3  # of files, xorbs and chunks: empty, where the footer begins
    footer = struct.pack("<QQQ6Q32xQQ72xQ", 1, files_at, xorbs_at, *no_tables, now, now + 86_400, footer_at)
    assert len(footer) == _FOOTER
    return header + struct.pack("<QQ", 2, _FOOTER) + files + xorbs + footer

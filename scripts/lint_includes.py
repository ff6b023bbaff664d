#!/usr/bin/env python3
"""Includes follow the house: a room includes lower floors only, and foreign libraries stay in the room that owns them."""

import re
import subprocess
import sys

FLOORS = {
    "base": 0,
    "filters": 1,
    "cache": 1,
    "certificates": 1,
    "daemon/net": 2,
    "daemon/http": 2,
    "daemon/origin": 3,
    "daemon/admission": 3,
    "daemon/hub": 3, "daemon/modelscope": 3, "daemon/registry": 3,
    "daemon/proxy": 4,
    "daemon/admin": 4,
    "daemon": 5,
    "cli": 4,
}
# A foreign header's prefix, and the only files that may include it.
OWNED = {
    "event2/": r"daemon/net/",
    "curl/": r"(daemon/origin|cli)/",
    "lmdb.h": r"cache/index",
    "re2/": r"filters/",
    "openssl/": r"(base/(base64|digest|keyed_hash)\.cpp|certificates/|daemon/net/|bench/load\.cpp)",
    "crypt.h": r"daemon/admission/",
    "spdlog/": r"base/log\.cpp",
    "boost/": r"daemon/http/request_parser\.cpp",
    "yaml-cpp/": r"(daemon/[a-z_]+|cli/dragonfly_[a-z]+)\.(h|cpp)",
    "CLI/": r"(daemon|cli)/[a-z_]+\.(h|cpp)",
    "prometheus/": r"daemon/(admin/)?[a-z_]+\.(h|cpp)",
    "systemd/": r"daemon/[a-z_]+\.cpp",
}
INCLUDE = re.compile(r'^\s*#include\s+(["<])([^">]+)[">]', re.M)


def room_of(path: str) -> str | None:
    folder = path.rsplit("/", 1)[0] if "/" in path else ""
    while folder and folder not in FLOORS:
        folder = folder.rsplit("/", 1)[0] if "/" in folder else ""
    return folder or None


def complaints(path: str, text: str):
    room = room_of(path)
    for quote, header in INCLUDE.findall(text):
        for prefix, owner in OWNED.items():
            if header.startswith(prefix) and not re.match(owner, path):
                yield f"{path}: <{header}> belongs to {owner} alone"
        if quote == '"' and room and (other := room_of(header)) and other != room and FLOORS[other] >= FLOORS[room]:
            yield f"{path} (floor {FLOORS[room]}) includes {header} (floor {FLOORS[other]}): arrows point down"


def main() -> int:
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.cpp", "*.h"], capture_output=True, text=True, check=True).stdout.split()
    found = []
    for path in files:
        if path.startswith(("tests/", "bench/")):
            continue
        with open(path, encoding="utf-8") as file:
            found += complaints(path, file.read())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

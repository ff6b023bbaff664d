"""Which secrets were planted in this run, and whether any stands in a text: as it is, or in a form that gives it away.

Every secret that the harness makes contains CANARY; what a test makes up otherwise is planted with `plant`. A daemon's
output and answers are searched at the end of each of its lives (harness/daemon.py), so the test that planted it fails.
"""

import base64
import re
import urllib.parse

CANARY = "c4naryS3cret"
# What no planted value is needed for: a private key is never shown.
KEYS = ("-----BEGIN PRIVATE KEY", "-----BEGIN EC PRIVATE KEY", "-----BEGIN RSA PRIVATE KEY")
SHORTEST = 8  # a shorter "secret" would be found by chance

_planted = {CANARY}
_pattern = None


def plant(text):
    """From now on no daemon of this process may print `text`. Returns it."""
    global _pattern
    assert len(text) >= SHORTEST, f"{text!r} would be found by chance"
    _planted.add(text)
    _pattern = None
    return text


def forms(text):
    """The ways of writing `text` that are searched for: itself, percent-encoded, hexadecimal, and the
    part of its Base64 that does not depend on what stands before and after it (user:password, a JWT's inside)."""
    data = text.encode()
    found = {text, urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text), data.hex()}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data + b"\0\0").decode()
        whole = encoded[(0, 2, 3)[before] : (before + len(data)) * 8 // 6]
        found |= {whole, whole.replace("+", "-").replace("/", "_")}
    return found


def leaks(text):
    """The lines of `text` in which a planted secret stands."""
    global _pattern
    if _pattern is None:
        every = {form for secret in _planted for form in forms(secret)} | set(KEYS)
        _pattern = re.compile("|".join(re.escape(form) for form in sorted(every, key=len, reverse=True)), re.IGNORECASE)
    if not _pattern.search(text):
        return []
    return [line for line in text.splitlines() if _pattern.search(line)]


def assert_none_in(text, where):
    found = leaks(text)
    assert not found, f"secrets were printed in {where}:\n" + "\n".join(line[:400] for line in found[:20])

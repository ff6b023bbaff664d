"""The stand-in CAS under the real hf_xet, without the daemon: what it stores and serves is what hf_xet makes and takes."""

import hashlib
import urllib.error
import urllib.request

import pytest

from harness.content import MIB
from harness.xet_machines import cas, machine, noise  # noqa: F401: some are fixtures


def get(url, byte_range):
    request = urllib.request.Request(url, headers={"Range": byte_range} if byte_range else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def test_what_one_machine_uploads_another_downloads_byte_by_byte(cas, machine):
    files = {"weights": noise(5 * MIB, 1), "text": b"the same line again\n" * 200_000, "floats": bytes(range(0, 256, 4)) * 30_000,
             "tiny": b"x"}
    hashes = machine("one").upload(cas.token("team/models", "write"), files)
    known = [cas.files[hashes[name]] for name in files]
    assert [file.size for file in known] == [len(data) for data in files.values()]
    assert machine("two").download_all(cas.token("team/models"), known) == list(files.values())


@pytest.mark.parametrize("versions", [{1}, {2}, {1, 2}])
def test_each_version_of_the_reconstruction_is_taken(cas, machine, versions):
    data = noise(2 * MIB, 2)
    name = machine("one").upload(cas.token("team/models", "write"), {"weights": data})["weights"]
    cas.versions = versions
    assert machine("two").download(cas.token("team/models"), cas.files[name]) == data
    assert cas.asked(f"/v{max(versions)}/reconstructions/")[-1].status == 200


def test_a_changed_file_shares_the_xorb_of_what_did_not_change(cas, machine):
    first = noise(4 * MIB, 3)
    second = first[: 2 * MIB] + noise(64 * 1024, 4) + first[2 * MIB :]
    machine("one").upload(cas.token("team/models", "write"), {"weights": first})
    name = machine("two").upload(cas.token("team/models", "write"), {"weights": second})["weights"]
    assert cas.deduplicated == 1  # the machine had to ask: it has never seen the first file
    assert len(cas.xorbs) == 2
    assert sum(len(xorb.data) for xorb in cas.xorbs.values()) < len(first) + MIB
    assert machine("three").download(cas.token("team/models"), cas.files[name]) == second


def test_a_url_is_good_for_its_range_and_its_time_only(cas, machine):
    machine("one").upload(cas.token("team/models", "write"), {"weights": noise(MIB, 5)})
    name, xorb = next(iter(cas.xorbs.items()))
    url = cas.storage.sign(name, [(0, 99), (500, 599)], "team/models")
    assert get(url, "bytes=0-99") == (206, xorb.data[:100])
    assert get(url, "bytes=500-599") == (206, xorb.data[500:600])
    for foreign in (None, "bytes=0-98", "bytes=0-100", "bytes=100-199", "bytes=0-599"):
        assert get(url, foreign)[0] == 403
    assert get(url.replace("0-99", "0-999").replace("0%2D99", "0%2D999"), "bytes=0-999")[0] == 403
    assert get(cas.storage.sign(name, [(0, 99)], "team/models", ttl=-1), "bytes=0-99")[0] == 403
    cas.storage.revoke()
    assert get(url, "bytes=0-99")[0] == 403


def test_who_has_no_token_for_the_repository_gets_no_reconstruction(cas, machine):
    data = noise(MIB, 6)
    name = machine("one").upload(cas.token("team/secret", "write"), {"weights": data})["weights"]
    assert "404" in machine("two").try_to_download(cas.token("team/other"), cas.files[name])
    expired = cas.token("team/secret")
    cas.revoke_tokens()
    assert machine("three").try_to_download(expired, cas.files[name])
    assert cas.storage.bytes_sent == 0


def test_the_sha256_that_hf_xet_names_is_that_of_the_file(cas, machine):
    data = noise(MIB, 7)
    name = machine("one").upload(cas.token("team/models", "write"), {"weights": data})["weights"]
    assert cas.files[name].sha256 == hashlib.sha256(data).hexdigest()

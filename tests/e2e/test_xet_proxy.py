"""Xet through the forward proxy, by the real hf_xet: reconstructions pass, bytes of xorbs are fetched once.

Two machines never share anything but the proxy; every reconstruction signs its URLs anew.
"""

import concurrent.futures

import pytest

from harness.content import KIB, MIB
from harness.interception import OurAuthority, options_for
from harness.rules import HOST, rule
from harness.waiting import eventually
from harness.xet_machines import cas, machine, noise, tls_cas  # noqa: F401: some are fixtures

XORBS = rule("xorbs", HOST + "/xorbs/default/[0-9a-f]{64}", key={"strip": ["huggingface"], "range": True})

# What may leave the storage for one question of access: the head is heard, the rest is cut off. What is in flight by then has left:
# on a loopback that is what buffers hold, usually a few hundred KiB.
QUESTION = 4 * MIB


@pytest.fixture
def proxy(start_hawker):
    return start_hawker(rules=[XORBS])


@pytest.fixture
def behind(machine, proxy):
    """behind("two"): a machine that uses the proxy."""
    return lambda name, **settings: machine(name, proxy=proxy.proxy_url, **settings)


def upload(cas, machine, data, repo="team/models", name="uploader"):
    hashes = machine(name).upload(cas.token(repo, "write"), {"weights": data})
    return cas.files[hashes["weights"]]


def wait_until_stored(proxy):
    eventually(lambda: (tasks := proxy.tasks()) and all(task["complete"] for task in tasks), "everything is stored")


def test_the_second_machine_reads_nothing_from_the_storage_but_what_access_needs(cas, proxy, machine, behind):
    data = noise(24 * MIB, 1)
    file = upload(cas, machine, data)
    assert behind("two").download(cas.token("team/models"), file) == data
    first = cas.storage.bytes_sent
    assert first < 1.02 * len(data)
    parts = len(cas.storage.requests)
    assert behind("three").download(cas.token("team/models"), file) == data
    questions = len(cas.storage.requests) - parts
    assert 0 < questions <= parts
    assert cas.storage.bytes_sent - first <= questions * QUESTION
    assert len(cas.storage.whole_answers) == parts
    proxy.exchange("/xorbs/default/", source="hit")
    # The reconstruction was asked for by each of them, and passed.
    assert len(cas.asked("/reconstructions/")) == 2
    proxy.exchange("/reconstructions/", source="pass")


@pytest.mark.parametrize("versions", [{1}, {1, 2}])
@pytest.mark.parametrize("names_ranges", [True, False])
def test_every_way_of_signing_is_cached_alike(cas, machine, behind, versions, names_ranges):
    cas.versions, cas.storage.names_ranges = versions, names_ranges
    data = noise(6 * MIB, 2)
    file = upload(cas, machine, data)
    for name in ("two", "three"):
        assert behind(name).download(cas.token("team/models"), file) == data
    assert len(cas.storage.whole_answers) == len(set(cas.storage.whole_answers))
    assert cas.storage.refusals == []


def test_two_files_that_share_a_xorb_are_one_copy(cas, proxy, machine, behind):
    first = noise(8 * MIB, 3)
    second = first[: 3 * MIB] + noise(64 * KIB, 4) + first[3 * MIB :]
    one = upload(cas, machine, first)
    other = upload(cas, machine, second, "team/copies", "another uploader")
    assert behind("two").download(cas.token("team/models"), one) == first
    wait_until_stored(proxy)
    before = len(cas.storage.whole_answers)
    assert behind("three").download(cas.token("team/copies"), other) == second
    # What is new was fetched; what both have was only asked for, though in other ranges.
    new = cas.storage.whole_answers[before:]
    shared = {term.xorb for term in one.terms}
    assert new and not shared & {xorb for xorb, _ in new}
    assert sum(task["stored"] for task in proxy.tasks()) < len(first) + MIB


def test_a_signed_range_reaches_no_further_than_it_says(cas, proxy, machine, behind):
    file = upload(cas, machine, noise(4 * MIB, 5))
    behind("two").download(cas.token("team/models"), file)
    wait_until_stored(proxy)
    (xorb, data), = ((name, xorb.data) for name, xorb in cas.xorbs.items())
    url = cas.storage.sign(xorb, [(100, 199), (1000, 1099)], "team/models")
    asked = [proxy.fetch(url, headers={"Range": f"bytes={span}"}) for span in ("100-199", "1000-1099")]
    assert [answer.body for answer in asked] == [data[100:200], data[1000:1100]]
    assert all(answer.status == 206 and answer.cache_status["hit"] for answer in asked)
    assert asked[1].header("Content-Range") == f"bytes 1000-1099/{len(data)}"
    for span in ("99-199", "100-200", "100-198", "0-99", "200-999", f"0-{len(data) - 1}"):
        answer = proxy.fetch(url, headers={"Range": f"bytes={span}"})
        assert (answer.status, answer.body) == (403, b"<Error><Code>InvalidRange</Code></Error>"), span
    assert proxy.fetch(url).status == 403
    assert proxy.fetch(url, headers={"Range": "bytes=100-"}).status == 403
    assert proxy.fetch(url, headers={"Range": "bytes=100-199,1000-1099"}).status == 403


def test_a_url_that_expired_or_was_made_up_reads_nothing_that_is_cached(cas, proxy, machine, behind):
    file = upload(cas, machine, noise(2 * MIB, 6))
    behind("two").download(cas.token("team/models"), file)
    xorb, held = next(iter(cas.xorbs.items()))
    whole = (0, len(held.data) - 1)
    good = cas.storage.sign(xorb, [whole], "team/models")
    field = {"Range": f"bytes=0-{whole[1]}"}
    assert proxy.fetch(cas.storage.sign(xorb, [whole], "team/models", ttl=-1), headers=field).status == 403
    assert proxy.fetch(good.replace("user_id=", "user_id=x"), headers=field).status == 403
    assert proxy.fetch(good.partition("?")[0], headers=field).status == 403
    assert proxy.fetch(good, headers=field).cache_status["hit"]


def test_hf_xet_gets_over_urls_that_expire_while_it_downloads(cas, proxy, machine, behind):
    data = noise(2 * MIB, 7)
    file = upload(cas, machine, data)
    cas.ttl = -1
    refuse_first = cas.storage.sign

    def sign(*arguments):
        cas.ttl = 3600
        return refuse_first(*arguments)

    cas.storage.sign = sign
    assert behind("two").download(cas.token("team/models"), file) == data
    assert len(cas.asked("/reconstructions/")) > 1


def test_what_is_stored_is_there_after_a_restart(cas, proxy, machine, tmp_path):
    data = noise(5 * MIB, 8)
    file = upload(cas, machine, data)
    assert machine("two", proxy=proxy.proxy_url).download(cas.token("team/models"), file) == data
    assert proxy.stop() == 0
    proxy.restart()
    before = len(cas.storage.whole_answers)
    assert machine("three", proxy=proxy.proxy_url).download(cas.token("team/models"), file) == data
    assert len(cas.storage.whole_answers) == before


def test_many_machines_at_once_cost_one_transfer(cas, proxy, machine, behind):
    data = noise(8 * MIB, 9)
    file = upload(cas, machine, data)
    tokens = [cas.token("team/models") for _ in range(4)]
    machines = [behind(f"machine {number}") for number in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as crowd:
        got = list(crowd.map(lambda pair: pair[0].download(pair[1], file), zip(machines, tokens)))
    assert got == [data] * 4
    assert len(cas.storage.whole_answers) == len(set(cas.storage.whole_answers))


# Intercepted -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    return OurAuthority(tmp_path_factory.mktemp("ours") / "ca")


def test_https_is_cached_alike_where_the_tunnel_is_opened(tls_cas, start_hawker, machine, ours, authority):
    """As against the real service: the storage's tunnel is opened, since a rule names its host; the API's stays opaque."""
    rules = [rule("xorbs", r"^https://127\.0\.0\.1:\d+/xorbs/default/[0-9a-f]{64}", key=XORBS["key"])]
    options = options_for(tls_cas.storage, ours)
    options["destinations.connect_ports"] = [str(tls_cas.api.port), str(tls_cas.storage.port)]
    hawker = start_hawker(options, rules=rules)
    bundle = ours.directory.parent / "bundle.pem"
    bundle.write_text(ours.ca_file.read_text() + authority.ca_file.read_text())
    data = noise(10 * MIB, 10)
    file = upload(tls_cas, lambda name: machine(name, ca_file=bundle), data)
    behind = {"proxy": hawker.proxy_url, "ca_file": bundle}
    assert machine("two", **behind).download(tls_cas.token("team/models"), file) == data
    parts = len(tls_cas.storage.requests)
    assert machine("three", **behind).download(tls_cas.token("team/models"), file) == data
    assert len(tls_cas.storage.whole_answers) == parts
    hawker.exchange("/xorbs/default/", source="hit")

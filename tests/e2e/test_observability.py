"""Every response says what happened, every exchange is one line, and no secret is in any of it."""

import json
import pathlib
import re
import threading
import urllib.error

import pytest

from harness.content import KIB, MIB, Content
from harness.origin_answer import redirect, stalled, status
from harness.signing import CANARY, secret
from harness.waiting import eventually


def test_cache_status_says_miss_then_hit_with_the_same_key(hawker, origin):
    origin.add("/verify/model", Content(5 * MIB), signed=True)
    miss = hawker.fetch_until_stored(origin.signed_url("/verify/model")).cache_status
    hit = hawker.fetch(origin.signed_url("/verify/model")).cache_status
    assert miss["fwd"] == "uri-miss" and miss["stored"]
    assert hit["hit"] and "fwd" not in hit
    assert miss["key"] == hit["key"] and re.fullmatch("[0-9a-f]{64}", hit["key"])


def test_cache_status_says_partial_when_only_some_pieces_are_there(hawker, origin):
    blob = origin.add("/shared/model", Content(40 * MIB))
    hawker.fetch(origin.url("/shared/model"), headers={"Range": f"bytes={20 * MIB}-{20 * MIB + 99}"})
    eventually(lambda: [task for task in hawker.tasks() if task["stored"] and not task["fetching"]], "the first fetch has ended")
    assert blob.bytes_sent < blob.content.size
    answer = hawker.fetch(origin.url("/shared/model"))
    assert answer.cache_status["fwd"] == "partial"
    assert hawker.exchange("/shared/model", source="partial")["bytes"] == 40 * MIB


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_cache_status_says_why_a_request_was_passed_on(hawker, origin, method):
    origin.add("/shared/model")
    origin.add("/plain")
    assert hawker.fetch(origin.url("/shared/model"), method, body=b"x").cache_status.get("fwd") in ("method", "bypass")
    assert hawker.fetch(origin.url("/plain")).cache_status.get("fwd") in ("bypass", "miss", "request", "uri-miss")


def test_what_the_cdn_said_about_its_own_cache_is_kept(hawker, origin):
    origin.add("/plain", headers={"Cache-Status": "cdn; hit"})
    fields = ", ".join(hawker.fetch(origin.url("/plain")).headers("Cache-Status"))
    assert fields.startswith("cdn; hit, hawker;")


def test_an_exchange_is_one_line_with_all_its_facts(hawker, origin):
    origin.add("/verify/model", Content(5 * MIB), signed=True)
    url = origin.signed_url("/verify/model")
    key = hawker.fetch_until_stored(url).cache_status["key"]
    hawker.fetch(url, headers={"Range": "bytes=0-99"})
    miss = hawker.exchange("/verify/model", source="miss")
    hit = hawker.exchange("/verify/model", source="hit")
    assert (miss["task"], miss["rule"], miss["status"], miss["bytes"]) == (key, "verify", 200, 5 * MIB)
    assert (hit["task"], hit["rule"], hit["status"], hit["bytes"]) == (key, "verify", 206, 100)
    for line in (miss, hit):
        assert line["method"] == "GET" and line["client"].startswith("127.0.0.1") and line["error"] == ""
        assert isinstance(line["ms"], int) and line["ms"] >= 0
        assert CANARY not in json.dumps(line)
    assert len(hawker.exchanges()) == 2


def test_sources_have_their_names(hawker, origin):
    go_on = threading.Event()
    origin.add("/plain", Content(10))
    origin.add("/shared/model", Content(4 * MIB)).fault(stalled(1 * MIB, go_on), times=1)
    hawker.fetch(origin.url("/plain"))
    assert hawker.exchange("/plain")["source"] == "pass"
    with hawker.connect() as first, hawker.connect() as second:
        first.request("GET", origin.url("/shared/model"))
        first.response(most=1 * KIB)
        second.request("GET", origin.url("/shared/model"))
        second.response(most=1 * KIB)
        go_on.set()
    hawker.exchange("/shared/model", source="joined")
    hawker.exchange("/shared/model", source="miss")
    hawker.fetch("http://no-such-host.invalid/shared/x")
    assert hawker.exchange("no-such-host.invalid", source="error")["status"] == 502


def test_a_finished_fetch_says_task_done(hawker, origin):
    blob = origin.add("/shared/model", Content(5 * MIB))
    key = hawker.fetch_until_stored(origin.url("/shared/model")).cache_status["key"]
    line = hawker.log_line("task done")
    found = re.search(r"task done cost=(\d+)ms task=([0-9a-f]{64}) bytes=(\d+) from=(\S+)", line)
    assert found, line
    assert (found[2], int(found[3]), found[4]) == (key, blob.content.size, "origin")


def test_text_lines_say_the_same(start_hawker, origin):
    hawker = start_hawker({"log.format": "text"})
    origin.add("/verify/model", Content(5 * MIB), signed=True)
    key = hawker.fetch(origin.signed_url("/verify/model")).cache_status["key"]
    line = hawker.log_line("access .*/verify/model")
    for part in ("status=200", f"task={key}", "rule=verify", f"bytes={5 * MIB}", "source=miss", "ms="):
        assert part in line, line
    hawker.log_line(r"task done cost=\d+ms task=")


def test_a_request_cannot_forge_a_log_line(start_hawker, origin):
    hawker = start_hawker({"log.format": "text"})
    origin.add("/plain")
    hawker.fetch(f"http://{origin.host}/plain%0d%0atask%20done?x=%0A%1b[31m", headers={"User-Agent": "a\x1b[31m"})
    with hawker.connect() as client:
        client.send("GET \x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n")
        client.read_to_end()
    eventually(lambda: hawker.log().count("access ") >= 1, "an access line")
    assert "\x1b" not in hawker.log()
    assert "\ntask done" not in hawker.log()


def test_metrics_count_what_happened(hawker, origin):
    blob = origin.add("/shared/model", Content(5 * MIB))
    hawker.fetch_until_stored(origin.url("/shared/model"))
    hawker.fetch(origin.url("/shared/model"))
    hawker.exchange("/shared/model", source="hit")

    def sample(name):
        return hawker.metrics().get(name)

    eventually(lambda: sample('hawker_requests_total{source="hit",status="2xx"}') == 1, "the hit is counted")
    assert sample('hawker_requests_total{source="miss",status="2xx"}') == 1
    assert sample('hawker_client_sent_bytes_total{source="hit"}') == 5 * MIB
    assert sample("hawker_origin_bytes_total") == blob.bytes_sent
    assert sample("hawker_cache_objects") == 1
    assert sample("hawker_cache_bytes") >= 5 * MIB


def test_health_is_one_word(hawker):
    assert hawker.get_admin("/healthz").strip() == "ok"


def test_a_task_is_listed_and_can_be_removed(hawker, origin):
    blob = origin.add("/shared/model", Content(5 * MIB))
    key = hawker.fetch_until_stored(origin.url("/shared/model")).cache_status["key"]
    task = hawker.task(key)
    assert (task["size"], task["stored"], task["complete"], task["rule"]) == (5 * MIB, 5 * MIB, True, "shared")
    assert task["url"].endswith("/shared/model")
    hawker.get_admin(f"/tasks/{key}", "DELETE")
    eventually(lambda: hawker.task(key) is None, "it is gone")
    before = blob.bytes_sent
    assert hawker.fetch(origin.url("/shared/model")).sha256 == blob.content.sha256()
    assert blob.bytes_sent - before == blob.content.size


def test_a_content_under_two_urls_counts_once_until_both_are_gone(start_hawker, origin):
    hawker = start_hawker()
    content = Content(5 * MIB)
    paths = [f"/sha256/{content.sha256()}", f"/sha256/{content.sha256()}/again"]
    for path in paths:
        origin.add(path, content)
    first, second = [hawker.fetch_until_stored(origin.url(path)).cache_status["key"] for path in paths]

    def is_counted(objects, size):
        found = hawker.metrics()
        return (found["hawker_cache_objects"], found["hawker_cache_bytes"]) == (objects, size)

    eventually(lambda: is_counted(2, 5 * MIB), "one size for two names")
    assert hawker.disk_used() < 6 * MIB
    assert hawker.task(first)["shared_file"] == hawker.task(second)["shared_file"] is not None
    hawker.kill()
    hawker.start()
    assert is_counted(2, 5 * MIB), hawker.metrics()
    hawker.get_admin(f"/tasks/{first}", "DELETE")
    eventually(lambda: is_counted(1, 5 * MIB), "the other name keeps the bytes")
    assert hawker.fetch(origin.url(paths[1])).sha256 == content.sha256()
    hawker.stop()
    hawker.start()
    assert is_counted(1, 5 * MIB), hawker.metrics()
    hawker.get_admin(f"/tasks/{second}", "DELETE")
    eventually(lambda: is_counted(0, 0), "nothing is left")
    eventually(lambda: hawker.disk_used() == 0, "nor on the disk")


def test_names_of_one_file_are_evicted_by_the_disk_that_they_take(start_hawker, origin):
    hawker = start_hawker({"cache.max_size": "8MiB", "cache.evict": "large-first"})
    content = Content(5 * MIB)
    for number in range(4):
        path = f"/sha256/{content.sha256()}/{number}"
        origin.add(path, content)
        hawker.fetch_until_stored(origin.url(path))
    assert (hawker.metrics()["hawker_cache_objects"], hawker.metrics()["hawker_cache_evictions_total"]) == (4, 0)
    other = origin.add("/shared/model", Content(4 * MIB, seed=2))
    hawker.fetch_until_stored(origin.url(other.path))
    eventually(lambda: hawker.metrics()["hawker_cache_bytes"] == 4 * MIB, "the four names make room together", within=30)
    eventually(lambda: hawker.metrics()["hawker_cache_evictions_total"] == 4, "the counter")
    eventually(lambda: hawker.metrics()["hawker_cache_evicted_bytes_total"] == 5 * MIB, "its bytes")


def test_a_task_that_is_being_read_can_be_removed_without_harm(hawker, origin):
    go_on = threading.Event()
    blob = origin.add("/shared/model", Content(16 * MIB)).fault(stalled(5 * MIB, go_on), times=1)
    with hawker.connect() as client:
        client.request("GET", origin.url("/shared/model"))
        eventually(client.has_input, "the first byte")
        for task in hawker.tasks():
            try:
                hawker.get_admin(f"/tasks/{task['task']}", "DELETE")
            except urllib.error.HTTPError as refusal:
                assert refusal.code in (404, 409)
        go_on.set()
        answer = client.response()
        assert answer.body == blob.content.bytes(0, answer.length)
    assert hawker.fetch(origin.url("/shared/model")).sha256 == blob.content.sha256()


def test_the_admin_api_knows_its_paths_and_methods(hawker):
    for path, method, code in (("/nothing", "GET", 404), ("/tasks/xyz", "DELETE", 400), ("/tasks/" + "0" * 64, "DELETE", 404),
                               ("/metrics", "POST", 405)):
        with pytest.raises(urllib.error.HTTPError) as problem:
            hawker.get_admin(path, method)
        assert problem.value.code == code, path


def test_secrets_are_in_no_log_admin_answer_error_page_or_cache_file(start_hawker, origin, other_origin):
    hawker = start_hawker({"log.level": "debug", "fetch.attempts": 2})
    origin.add("/verify/model", Content(2 * MIB), signed=True)
    origin.add("/verify/broken").fault(status(500, b"no"))
    origin.add("/plain", Content(10), headers={"Set-Cookie": f"id={secret('set-cookie')}"})
    origin.add("/follow/model").fault(redirect(other_origin.url("/gone", other_origin.signer.query("/gone"))))
    headers = {"Authorization": f"Bearer {secret('bearer')}", "Cookie": f"session={secret('cookie')}",
               "Proxy-Authorization": f"Basic {secret('proxy')}", "X-Amz-Security-Token": secret("token")}
    token = "token=" + secret("query")
    pages = []
    for url in (origin.signed_url("/verify/model"), origin.signed_url("/verify/model"),
                origin.signed_url("/verify/model", ttl=-9), origin.signed_url("/verify/broken"), origin.url("/plain", token),
                origin.signed_url("/follow/model"), f"http://no-such-host.invalid/verify/x?{token}",
                f"http://127.0.0.1:1/verify/x?Signature={secret('signature')}", f"http://127.0.0.1:1/plain?{token}",
                f"http://10.1.2.3/plain?{token}", f"http://user:{secret('password')}@{origin.host}/plain",
                f"ftp://{origin.host}/plain?{token}"):
        for method in ("GET", "HEAD", "PUT"):
            answer = hawker.fetch(url, method, headers, body=b"x" if method == "PUT" else None)
            if answer.header("Proxy-Status"):
                pages.append(answer.header("Proxy-Status") + answer.text)
    with hawker.connect() as client:
        client.send(f"GET {origin.url('/plain', token)} HTTP/1.1\r\nBad Field: {secret('field')}\r\n\r\n")
        pages.append(client.read_to_end().decode("latin-1"))
    with hawker.connect() as client:
        client.send(f"CONNECT no-such-host.invalid:443 HTTP/1.1\r\nHost: x\r\nAuthorization: {secret('connect')}\r\n\r\n")
        pages.append(client.response("CONNECT").text)
    assert pages
    assert hawker.stop() == 0
    places = {"error pages": "\n".join(pages), "admin": "\n".join(hawker.admin_answers), "log": hawker.all_output()}
    for name, text in places.items():
        assert CANARY not in text, f"{name}: {[line for line in text.splitlines() if CANARY in line][:3]}"
    for path in pathlib.Path(hawker.options["cache.directory"]).rglob("*"):
        if path.is_file() and path.stat().st_blocks * 512 < 64 * MIB:
            assert CANARY.encode() not in path.read_bytes(), path

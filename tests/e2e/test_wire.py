"""HTTP/1.1 as a proxy must speak it: what could be read two ways is refused, the rest arrives as it was meant."""

import hashlib
import time

import pytest

from harness.content import GIB, KIB, MIB, Content, Text
from harness.origin_answer import chunked, reset, status, with_headers
from harness.waiting import eventually, stretched

CASES = {
    "both lengths": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "the same length twice": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5, 5\r\n\r\nhello",
    "a signed length": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: +5\r\n\r\nhello",
    "a negative length": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
    "a hexadecimal length": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0x5\r\n\r\nhello",
    "an empty length": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length:\r\n\r\n",
    "an endless length": "POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "chunked twice": "POST {url} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked in two fields": "POST {url} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n"
                             "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked not last": "POST {url} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "an unknown coding": "POST {url} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": "POST {url} HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare line feed": "GET {url} HTTP/1.1\r\nHost: {host}\nX-A: b\r\n\r\n",
    "a bare line feed at the end": "GET {url} HTTP/1.1\r\nHost: {host}\r\n\n",
    "a bare carriage return": "GET {url} HTTP/1.1\r\nHost: {host}\r\nX-A: b\rContent-Length: 3\r\n\r\n",
    "a space before the colon": "GET {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length : 3\r\n\r\nabc",
    "a folded line": "GET {url} HTTP/1.1\r\nHost: {host}\r\nX-A: b\r\n c\r\n\r\n",
    "a space before the first field": "GET {url} HTTP/1.1\r\n Host: {host}\r\n\r\n",
    "a field without a colon": "GET {url} HTTP/1.1\r\nHost: {host}\r\nnonsense\r\n\r\n",
    "an empty field name": "GET {url} HTTP/1.1\r\nHost: {host}\r\n: x\r\n\r\n",
    "a NUL in a value": "GET {url} HTTP/1.1\r\nHost: {host}\r\nX-A: b\0c\r\n\r\n",
    "a control byte in a value": "GET {url} HTTP/1.1\r\nHost: {host}\r\nX-A: b\x01c\r\n\r\n",
    "two spaces in the request line": "GET  {url} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a tab in the request line": "GET\t{url} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "no version": "GET {url}\r\nHost: {host}\r\n\r\n",
    "a version in small letters": "GET {url} http/1.1\r\nHost: {host}\r\n\r\n",
    "no Host": "GET {url} HTTP/1.1\r\nAccept: */*\r\n\r\n",
    "two Hosts": "GET {url} HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
    "a fragment": "GET {url}#part HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "userinfo": "GET http://user@{host}/plain HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "another scheme": "GET ftp://{host}/plain HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a byte above 0x7E in the target": "GET {url}\xe9 HTTP/1.1\r\nHost: {host}\r\n\r\n",
}


@pytest.mark.parametrize("case", CASES)
def test_a_request_that_could_be_read_two_ways_is_refused_and_the_connection_closed(hawker, origin, case):
    origin.add("/plain")
    with hawker.connect() as client:
        client.send(CASES[case].format(url=origin.url("/plain"), host=origin.host))
        answer = client.response()
        assert answer.status == 400 or (answer.status == 501 and case in ("an unknown coding", "chunked not last")), answer
        assert answer.text.strip()
        assert client.is_closed()
    assert origin.requests == []


@pytest.mark.parametrize("chunks", ["zz\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
                                    "5 \r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhelloX0\r\n\r\n",
                                    "ffffffffffffffff1\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n"])
def test_a_bad_chunk_ends_the_connection_and_no_whole_request_reaches_the_origin(hawker, origin, chunks):
    sink = origin.add("/plain")
    with hawker.connect() as client:
        client.send(f"POST {origin.url('/plain')} HTTP/1.1\r\nHost: {origin.host}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")
        answer = client.read_to_end()
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 502"))
    assert sink.requests == []


def test_a_request_without_a_host_in_its_target_is_refused_in_words(hawker, origin):
    origin.add("/plain")
    answer = hawker.fetch("/plain", headers={"Host": origin.host})
    assert answer.status in (400, 421)
    assert "proxy" in answer.text
    assert origin.requests == []


def test_another_major_version_is_a_505(hawker, origin):
    with hawker.connect() as client:
        client.send(f"GET {origin.url('/plain')} HTTP/2.0\r\nHost: {origin.host}\r\n\r\n")
        assert client.response().status == 505
        assert client.is_closed()


def test_one_empty_line_before_a_request_is_forgiven(hawker, origin):
    origin.add("/plain", Text(b"x"))
    with hawker.connect() as client:
        client.send(f"\r\nGET {origin.url('/plain')} HTTP/1.1\r\nHost: {origin.host}\r\n\r\n")
        assert client.response().status == 200


def test_pipelined_requests_are_answered_in_order(hawker, origin):
    cold = origin.add("/shared/cold", Content(3 * MIB))
    warm = origin.add("/shared/warm", Content(1 * MIB, seed=2))
    plain = origin.add("/plain", Content(10 * KIB, seed=3))
    hawker.fetch_until_stored(origin.url("/shared/warm"))
    order = [("GET", cold), ("GET", warm), ("HEAD", warm), ("GET", plain), ("POST", plain), ("GET", warm), ("GET", cold)]
    with hawker.connect() as client:
        wire = ""
        for method, resource in order:
            body = "Content-Length: 3\r\n\r\nabc" if method == "POST" else "\r\n"
            wire += f"{method} {origin.url(resource.path)} HTTP/1.1\r\nHost: {origin.host}\r\n{body}"
        client.send(wire)
        for method, resource in order:
            answer = client.response(method)
            assert answer.status == 200
            if method == "GET":
                assert answer.sha256 == resource.content.sha256()
            elif method == "POST":
                assert answer.text == "received 3 bytes"


def test_a_connection_serves_many_requests(hawker, origin):
    blob = origin.add("/shared/blob", Content(100 * KIB))
    with hawker.connect() as client:
        for _ in range(20):
            client.request("GET", origin.url("/shared/blob"))
            assert client.response().sha256 == blob.content.sha256()


def test_connection_close_is_honoured_and_announced(hawker, origin):
    origin.add("/plain")
    with hawker.connect() as client:
        client.request("GET", origin.url("/plain"), {"Connection": "close"})
        assert client.response().header("Connection").lower() == "close"
        assert client.is_closed()


def test_http_1_0_is_answered_and_closed(hawker, origin):
    blob = origin.add("/shared/blob", Content(1 * MIB))
    for _ in range(2):
        with hawker.connect() as client:
            client.send(f"GET {origin.url('/shared/blob')} HTTP/1.0\r\n\r\n")
            answer = client.response()
            assert (answer.status, answer.sha256) == (200, blob.content.sha256())
            assert answer.header("Transfer-Encoding") is None
            assert client.is_closed()


def test_expect_100_continue_is_answered_before_the_body(hawker, origin):
    sink = origin.add("/plain")
    with hawker.connect() as client:
        client.request("PUT", origin.url("/plain"), {"Expect": "100-continue", "Content-Length": "5"})
        assert client.response_head().status == 100
        client.send("hello")
        assert client.response().text == "received 5 bytes"
    assert sink.received == b"hello"


def test_an_unknown_expectation_is_a_417(hawker, origin):
    origin.add("/plain")
    with hawker.connect() as client:
        client.request("PUT", origin.url("/plain"), {"Expect": "miracles", "Content-Length": "0"})
        assert client.response().status == 417


def test_a_chunked_request_body_arrives_whole(hawker, origin):
    sink = origin.add("/plain")
    content = Content(3 * MIB)
    with hawker.connect() as client:
        client.request("POST", origin.url("/plain"), {"Transfer-Encoding": "chunked", "Trailer": "X-Sum"})
        for run in content.runs(most=70_001):
            client.send(b"%x;name=value\r\n" % len(run) + bytes(run) + b"\r\n")
        client.send("0\r\nX-Sum: 1\r\n\r\n")
        assert client.response().status == 200
        # The connection is in step afterwards.
        client.request("GET", origin.url("/plain"))
        assert client.response().status == 200
    assert sink.requests[0].body_sha256 == content.sha256()


@pytest.mark.heavy
def test_a_put_of_two_gib_costs_no_memory(hawker, origin):
    sink = origin.add("/plain")
    content = Content(2 * GIB)
    with hawker.connect() as client:
        client.request("PUT", origin.url("/plain"), {"Content-Length": str(content.size)})
        before = hawker.memory("VmHWM")
        for run in content.runs():
            client.send(run)
        assert client.response().text == f"received {content.size} bytes"
    assert sink.requests[0].body_sha256 == content.sha256()
    assert hawker.memory("VmHWM") - before < 16 * MIB
    assert hawker.memory("VmHWM") < 64 * MIB


def test_an_early_answer_to_an_unread_body_does_not_desynchronise(hawker, origin):
    origin.add("/plain").fault(status(413, b"too much"), when=lambda request: request.method == "PUT")
    with hawker.connect() as client:
        client.request("PUT", origin.url("/plain"), {"Content-Length": str(1 * MIB)})
        client.send(b"GET http://127.0.0.1/evil HTTP/1.1\r\n\r\n".ljust(1 * MIB, b"x"))
        assert client.response().status == 413


@pytest.mark.parametrize("head, code", [
    ("GET {url}?" + "a" * 20_000 + " HTTP/1.1\r\nHost: {host}\r\n\r\n", 414),
    ("GET {url} HTTP/1.1\r\nHost: {host}\r\nX-Big: " + "a" * 20_000 + "\r\n\r\n", 431),
    ("GET {url} HTTP/1.1\r\nHost: {host}\r\n" + "X-Many: 1\r\n" * 200 + "\r\n", 431),
    ("GET {url} HTTP/1.1\r\nHost: {host}\r\n" + ("X-Large: " + "a" * 10_000 + "\r\n") * 8 + "\r\n", 431),
], ids=["target", "field", "count", "total"])
def test_a_head_beyond_the_limits_is_refused(hawker, origin, head, code):
    with hawker.connect() as client:
        client.send(head.format(url=origin.url("/plain"), host=origin.host))
        assert client.response().status == code
        assert client.is_closed()
    assert origin.requests == []


def test_a_signed_url_of_several_kib_is_not_too_long(hawker, origin):
    blob = origin.add("/verify/blob", Content(10 * KIB))
    assert hawker.fetch(origin.url("/verify/blob", "Signature=" + "a" * 8000)).sha256 == blob.content.sha256()


def test_an_absolute_target_wins_over_a_differing_host(hawker, origin, other_origin):
    blob = origin.add("/plain")
    answer = hawker.fetch(origin.url("/plain"), headers={"Host": other_origin.host})
    assert answer.sha256 == blob.content.sha256()
    assert blob.requests[0].headers("Host") == [origin.host]
    assert other_origin.requests == []


def test_hop_by_hop_fields_stay_on_their_hop(hawker, origin):
    blob = origin.add("/plain").fault(with_headers(Connection="X-Answer", X_Answer="1", Keep_Alive="timeout=5",
                                                   Proxy_Authenticate="Basic", X_End="to end"))
    answer = hawker.fetch(origin.url("/plain"), headers={
        "Connection": "X-Hop, Authorization, keep-alive", "X-Hop": "1", "X-End": "to end", "Keep-Alive": "timeout=5",
        "Proxy-Connection": "keep-alive", "Proxy-Authorization": "Basic eDp5", "TE": "trailers", "Upgrade": "h2c",
        "Authorization": "Basic enough"})
    seen = blob.requests[0]
    for name in ("X-Hop", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Upgrade"):
        assert seen.header(name) is None, name
    assert seen.header("X-End") == "to end"
    assert seen.header("Authorization") == "Basic enough"
    for name in ("X-Answer", "Keep-Alive", "Proxy-Authenticate"):
        assert answer.header(name) is None, name
    assert answer.header("X-End") == "to end"


def test_via_is_added_both_ways_and_what_was_there_stays(hawker, origin):
    blob = origin.add("/plain").fault(with_headers(Via="1.1 cdn"))
    answer = hawker.fetch(origin.url("/plain"), headers={"Via": "1.0 gateway"})
    assert ", ".join(blob.requests[0].headers("Via")).startswith("1.0 gateway, 1.1 ")
    assert ", ".join(answer.headers("Via")).startswith("1.1 cdn, 1.1 ")


def test_a_loop_is_noticed_by_via(start_hawker, origin):
    hawker = start_hawker({"pseudonym": "this-one"})
    origin.add("/plain")
    answer = hawker.fetch(origin.url("/plain"), headers={"Via": "1.1 other, 1.1 this-one"})
    assert (answer.status, "proxy_loop_detected" in answer.header("Proxy-Status")) == (502, True)
    assert origin.requests == []


def test_a_request_to_the_proxy_itself_is_a_loop(hawker):
    answer = hawker.fetch(f"http://{hawker.proxy[0]}:{hawker.proxy[1]}/shared/x")
    assert answer.status in (400, 403, 502, 508)


def test_max_forwards_is_counted_down_and_answered_at_zero(hawker, origin):
    here = origin.add("/plain")
    hawker.fetch(origin.url("/plain"), "OPTIONS", {"Max-Forwards": "3"})
    assert here.requests[0].header("Max-Forwards") == "2"
    answer = hawker.fetch(origin.url("/plain"), "OPTIONS", {"Max-Forwards": "0"})
    assert answer.status in (200, 204)
    assert len(here.requests) == 1


def test_trace_is_not_forwarded(hawker, origin):
    origin.add("/plain")
    assert hawker.fetch(origin.url("/plain"), "TRACE").status == 405
    assert origin.requests == []


def test_options_without_a_path_asks_about_the_server(hawker, origin):
    hawker.fetch(f"http://{origin.host}", "OPTIONS")
    assert origin.requests[0].target == "*"


def test_head_has_the_fields_of_get_and_no_body(hawker, origin):
    blob = origin.add("/shared/blob", Content(2 * MIB))
    with hawker.connect() as client:
        for _ in range(2):
            client.request("HEAD", origin.url("/shared/blob"))
            answer = client.response("HEAD")
            assert (answer.status, answer.header("Content-Length"), answer.header("ETag")) == (200, str(2 * MIB), blob.etag)
            client.request("GET", origin.url("/shared/blob"))
            assert client.response().sha256 == blob.content.sha256()
            hawker.wait_until_stored(answer) if "key" in answer.cache_status else None


def test_the_origins_answer_arrives_unchanged(hawker, origin):
    blob = origin.add("/plain").fault(status(418, b"short \xff and stout", X_One=["1", "2"], Set_Cookie=["a=1", "b=2; Path=/"],
                                             ETag='W/"x"'))
    answer = hawker.fetch(origin.url("/plain"))
    assert (answer.status, answer.body) == (418, b"short \xff and stout")
    assert answer.headers("X-One") == ["1", "2"]
    assert answer.headers("Set-Cookie") == ["a=1", "b=2; Path=/"]
    assert answer.header("ETag") == 'W/"x"'
    assert len(blob.requests) == 1


def test_the_target_reaches_the_origin_byte_for_byte(hawker, origin):
    for target in ("/a%2fb/../c;p?x=%7e&&y=+%20", "/shared/%41?b=2&a=1&", "//double//slash"):
        hawker.fetch(f"http://{origin.host}{target}")
        assert origin.requests[-1].target == target


def test_a_slow_head_is_given_up(start_hawker):
    hawker = start_hawker({"timeouts.head": "300ms"})
    with hawker.connect() as client:
        client.send("GET http://127.0.0.1/ HT")
        assert client.read_to_end()[:12] in (b"", b"HTTP/1.1 408")


def test_an_idle_connection_is_closed(start_hawker, origin):
    hawker = start_hawker({"timeouts.idle": stretched(3000)})
    origin.add("/plain", Text(b"x"))
    with hawker.connect() as client:
        client.request("GET", origin.url("/plain"))
        assert client.response().status == 200
        assert client.is_closed()


def test_a_body_that_stops_coming_is_given_up(start_hawker, origin):
    hawker = start_hawker({"timeouts.body": "300ms"})
    sink = origin.add("/plain")
    with hawker.connect() as client:
        client.request("PUT", origin.url("/plain"), {"Content-Length": "100"})
        client.send("some")
        assert client.is_closed()
    assert sink.requests == []


def test_a_reader_that_takes_nothing_is_given_up(start_hawker, origin):
    hawker = start_hawker({"timeouts.write": "500ms"})
    origin.add("/shared/blob", Content(64 * MIB))
    with hawker.connect(receive_buffer=8 * KIB) as client:
        client.request("GET", origin.url("/shared/blob"))
        eventually(lambda: any(line["bytes"] < 64 * MIB for line in hawker.exchanges()), "the exchange is given up", within=15)


def test_bytes_of_every_kind_pass_a_post_and_its_answer(hawker, origin):
    data = bytes(range(256)) * 40
    echo = origin.add_handler("/plain", lambda request, answer: status(200, echo.received)(answer))
    answer = hawker.fetch(origin.url("/plain"), "POST", body=data)
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(data).digest()


def test_a_body_that_only_the_end_of_the_connection_ends_is_never_short_and_whole(hawker, origin):
    origin.add("/plain", Content(1 * MIB)).fault(chunked()).fault(reset(300_000))
    with hawker.connect() as client:
        client.send(f"GET {origin.url('/plain')} HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.sha256_to_end()


def hears_a_refusal_while_it_sends(hawker, url):
    """False where this took longer than the second for which the daemon listens to what nobody wants."""
    began = time.monotonic()
    with hawker.connect() as client:
        try:
            client.send(f"TRACE {url} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
            client.send(b"x" * 1_000_000)
        except ConnectionError:
            assert time.monotonic() - began >= 1
            return False
        assert client.response().status == 405
    return True


def test_a_refusal_reaches_whoever_is_still_sending(hawker, origin):
    origin.add("/plain")
    for _ in range(10):
        eventually(lambda: hears_a_refusal_while_it_sends(hawker, origin.url("/plain")), "all of it sent in a second")


def test_no_content_has_no_length(hawker, origin):
    origin.add_handler("/plain/204", lambda request, answer: answer.become(204, {"Content-Length": "5"}, b""))
    with hawker.connect() as client:
        for _ in range(2):
            client.request("GET", origin.url("/plain/204"))
            answer = client.response()
            assert (answer.status, answer.header("Content-Length")) == (204, None)

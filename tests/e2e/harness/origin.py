"""A scriptable HTTP/1.1 origin on raw sockets: it counts what it sends and remembers what it was asked.

    model = origin.add("/shared/model.bin", Content(64 * MIB))
    model.fault(truncated(after=1 * MIB), times=1)
    ...
    assert model.bytes_sent <= 1.01 * 64 * MIB
    assert model.requests[0].header("Range") == "bytes=0-"
"""

import contextlib
import hashlib
import socket
import ssl
import threading

from harness import origin_answer
from harness.content import Content
from harness.origin_request import BadRequest, read_head, receive_body
from harness.origin_resource import Resource
from harness.signing import Signer


class Origin:
    def __init__(self, tls=None, name="127.0.0.1", address="127.0.0.1"):
        self.signer = Signer()
        self.resources = {}
        self.fallback = None  # (request) -> the Resource for what no path names, or None
        self.requests = []  # every head, in order of arrival
        self.connections = 0  # accepted so far
        self._tls = tls
        self._lock = threading.Lock()
        self._open = set()
        self._stopping = threading.Event()
        self._listener = socket.create_server((address, 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.host = f"{name}:{self.port}"
        self.scheme = "https" if tls else "http"
        threading.Thread(target=self._accept, daemon=True).start()

    # The vocabulary of tests --------------------------------------------------------------------------------------------

    def add(self, path, content=None, **traits):
        """Serves `content` (1 MiB when not given) under `path`; traits as in Resource."""
        resource = Resource(path, content or Content(1024 * 1024), signer=self.signer, **traits)
        self.resources[path] = resource
        return resource

    def add_handler(self, path, handler):
        """`handler(request, answer)` scripts the whole answer."""
        resource = self.add(path, Content(0))
        resource.handler = handler
        return resource

    def url(self, path, query="", scheme=None):
        return f"{scheme or self.scheme}://{self.host}{path}" + (f"?{query}" if query else "")

    def signed_url(self, path, ttl=3600, scheme=None):
        return self.url(path, self.signer.query(path, ttl), scheme)

    @property
    def bytes_sent(self):
        return sum(resource.bytes_sent for resource in self.resources.values())

    def close(self):
        self._stopping.set()
        with contextlib.suppress(OSError):  # closed already
            self._listener.shutdown(socket.SHUT_RDWR)  # who waits in accept() hears it
        self._listener.close()
        with self._lock:
            remaining = list(self._open)
        for connection in remaining:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def drop_connections(self):
        """As when the machine goes away: everything open is closed, new ones are still taken."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    # Serving ------------------------------------------------------------------------------------------------------------

    def _accept(self):
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Small, so that `bytes_sent` means bytes that left, not bytes that wait in a kernel buffer.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.add(connection)
            stream = connection.makefile("rb", buffering=64 * 1024)
            while self._exchange(connection, stream):
                pass
        except (OSError, ssl.SSLError, BadRequest, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _exchange(self, connection, stream):
        request = read_head(stream)
        if request is None:
            return False
        resource = self.resources.get(request.path) or (self.fallback and self.fallback(request))
        with self._lock:
            self.requests.append(request)
        if resource is None:
            receive_body(request, stream, connection, lambda data: None)
            answer = origin_answer.Answer(request, 404, {"Content-Type": "text/plain"})
            answer.become(404, answer.headers, b"the origin has no such thing")
            return origin_answer.send(answer, connection, lambda count: None, self._stopping)
        return self._answer(resource, request, connection, stream)

    def _answer(self, resource, request, connection, stream):
        digest = hashlib.sha256()
        request.body_bytes = receive_body(request, stream, connection, resource.keep_body(digest, request))
        request.body_sha256 = digest.hexdigest()
        # Counted after the body has arrived, so that a test that waits for the request sees all of it.
        resource.note(request)
        answer = resource.answer(request)
        resource.active_change(1)
        try:
            reusable = origin_answer.send(answer, connection, resource.count, self._stopping)
        finally:
            resource.active_change(-1)
        return reusable and "close" not in (request.header("Connection") or "").lower()

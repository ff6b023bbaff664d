"""An origin that is slow the way real ones are: late to the first byte, paced per connection by a token bucket, or behind a link
that all connections share.

It counts what it was asked for and what it sent: the proxies are not asked.
"""

import os
import re
import socket
import threading
import time

CHUNK = 256 << 10


class Origin:
    """Serves the one file `path` under every path.

    `pace`: bytes/s of one connection; `link`: of all together; `delay`: seconds to the first byte.
    """

    def __init__(self, path, pace: float | None = None, link: float | None = None, delay: float = 0):
        self.file = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.file).st_size
        self.pace, self.link, self.delay = pace, link, delay
        self.link_free_at = 0.0
        self.requests = self.sent = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self):
        with self.lock:
            self.requests = self.sent = 0

    def wait_for_bytes(self, count: int):
        while self.sent < count:
            time.sleep(0.005)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = b""
        try:
            while True:
                while b"\r\n\r\n" not in waiting:
                    got = client.recv(65536)
                    if not got:
                        return
                    waiting += got
                head, _, waiting = waiting.partition(b"\r\n\r\n")
                self._answer(client, head)
        except OSError:
            pass
        finally:
            client.close()

    def _answer(self, client: socket.socket, head: bytes):
        asked = re.search(rb"(?i)\r\nrange: *bytes=(\d+)-(\d*)", head)
        begin = int(asked.group(1)) if asked else 0
        end = min(int(asked.group(2) or self.size - 1) + 1, self.size) if asked else self.size
        lines = [b"HTTP/1.1 206 Partial Content" if asked else b"HTTP/1.1 200 OK", b"Accept-Ranges: bytes", b'ETag: "one"',
                 b"Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT", b"Cache-Control: public, max-age=86400",
                 b"Content-Length: %d" % (end - begin)]
        if asked:
            lines.append(b"Content-Range: bytes %d-%d/%d" % (begin, end - 1, self.size))
        with self.lock:
            self.requests += 1
        if self.delay:
            time.sleep(self.delay)
        client.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        if head.startswith(b"HEAD"):
            return
        begun, first = time.monotonic(), begin
        while begin < end:
            sent = os.sendfile(client.fileno(), self.file, begin, min(CHUNK, end - begin))
            begin += sent
            with self.lock:
                self.sent += sent
            if self.pace and (ahead := (begin - first) / self.pace - (time.monotonic() - begun)) > 0:
                time.sleep(ahead)
            self._wait_for_link(sent)

    def _wait_for_link(self, sent: int):
        """Connections take turns, a chunk each; a hundredth of a second may go at once after a pause."""
        if not self.link:
            return
        now = time.monotonic()
        with self.lock:
            self.link_free_at = max(self.link_free_at, now - 0.01) + sent / self.link
            ahead = self.link_free_at - now
        if ahead > 0:
            time.sleep(ahead)

    def close(self):
        self.listener.close()

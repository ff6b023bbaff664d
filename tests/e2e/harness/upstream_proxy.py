"""Another proxy, between hawkerd and origins: it remembers what it was asked, and may want credentials.

    proxy = UpstreamProxy(names={"origin.test": "127.0.0.1"}, credentials="me:pw")
    assert proxy.heads[0].startswith("CONNECT origin.test:443 ")
"""

import base64
import select
import socket

from harness.accepting import Accepting


class UpstreamProxy(Accepting):
    def __init__(self, names=None, credentials=None):
        self.heads = []
        self.refuse_with = None  # a status line's rest, like "403 Forbidden"
        self.greeting = b""  # sent behind the answer to CONNECT, in the same piece
        self._names = names or {}
        self._expected = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else None
        super().__init__(self._exchange)

    def _exchange(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(1 << 16)
            if not data:
                return
            head += data
        head, _, rest = head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.heads.append(head.decode("latin-1"))
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if self.refuse_with or (self._expected and fields.get("proxy-authorization") != self._expected):
            status = self.refuse_with or "407 Proxy Authentication Required"
            client.sendall(f"HTTP/1.1 {status}\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n".encode())
            return
        method, target, _ = lines[0].split(" ")
        if method == "CONNECT":
            with self._dial(target) as far:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + self.greeting)
                _relay(client, far)
            return
        authority, _, path = target.removeprefix("http://").partition("/")
        with self._dial(authority) as far:
            kept = [line for line in lines[1:] if not line.lower().startswith(("proxy-", "connection:"))]
            far.sendall("\r\n".join([f"{method} /{path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode() + rest)
            _relay(client, far)

    def _dial(self, authority):
        host, _, port = authority.rpartition(":") if ":" in authority else (authority, "", "80")
        return socket.create_connection((self._names.get(host, host), int(port)))


def _relay(left, right):
    others = {left: right, right: left}
    while True:
        for ready in select.select([left, right], [], [])[0]:
            data = ready.recv(1 << 16)
            if not data:
                return
            others[ready].sendall(data)

"""Something is done to the daemon; nobody else may notice, and nothing may be left of it.

    with siege(hawker, origin) as around:
        ...                                # the abuse
    # every hit of a bystander was whole and right meanwhile, memory stayed below the bound, and all is as before
"""

import contextlib
import os
import selectors
import socket
import statistics
import threading
import time

from harness.content import KIB, MIB, Content
from harness.daemon import is_sanitized
from harness.waiting import eventually, patience

PATH = "/shared/bystander"
# How much longer than in peace half of a bystander's hits may take. Generous: the besiegers share this machine's cores with it.
SLOWER = 200


class Bystander:
    """A client like any other, with one hit after another on connections of its own."""

    def __init__(self, hawker, origin):
        self.hawker = hawker
        self.blob = origin.resources.get(PATH) or origin.add(PATH, Content(64 * KIB))
        self.url = origin.url(PATH)
        self.waits, self.problem = [], None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def hit(self):
        begin = time.monotonic()
        with self.hawker.connect(timeout=20) as connection:
            connection.request("GET", self.url)
            answer = connection.response()
        assert (answer.status, answer.sha256) == (200, self.blob.content.sha256()), answer
        return time.monotonic() - begin

    def _run(self):
        try:
            while not self._stop.is_set():
                self.waits.append(self.hit())
        except BaseException as problem:  # raised again in stop()
            self.problem = problem

    def start(self):
        self.hit()
        self.in_peace = statistics.median(self.hit() for _ in range(20))
        self._thread.start()
        return self

    def stop(self, hits):
        self._stop.set()
        self._thread.join(patience(60))
        if self.problem:
            raise self.problem
        assert len(self.waits) >= hits, f"the bystander came through {len(self.waits)} times"
        # In no case are two seconds much: this thread shares its interpreter with the besiegers, and they a loaded machine.
        assert statistics.median(self.waits) < max(SLOWER * self.in_peace, patience(2))


def descriptors(hawker):
    return len(os.listdir(f"/proc/{hawker.pid}/fd"))


@contextlib.contextmanager
def siege(hawker, origin, memory=64 * MIB, hits=1):
    """`memory`: how much more the daemon may ever hold than before. `hits`: how many a bystander who is not starved has at least;
    in peace it has thousands in a second."""
    bystander = Bystander(hawker, origin).start()
    eventually(lambda: hawker.metrics()["hawker_connections"] <= 1, "peace")
    held, opened = hawker.memory("VmRSS"), descriptors(hawker)
    yield bystander
    bystander.stop(hits)
    assert hawker.alive()
    if not is_sanitized():
        assert hawker.memory("VmHWM") - held < memory
    eventually(lambda: hawker.metrics()["hawker_connections"] <= 1, "all connections gone", 30)
    # Connections to origins are kept for a while.
    eventually(lambda: descriptors(hawker) <= opened + 16, "descriptors given back", 30)
    assert bystander.hit() < patience(20)


class Multitude:
    """Very many clients on one thread: each sends `request` and reads one answer of `size` bytes of body."""

    def __init__(self, hawker, number, request=b"", size=0):
        self.address, self.request, self.size = hawker.proxy, request, size
        self.sockets = []
        self.received = {}
        for _ in range(number):
            client = socket.create_connection(self.address, timeout=patience(30))
            client.setblocking(False)
            self.sockets.append(client)
            self.received[client] = bytearray()
        for client in self.sockets:
            if request:
                client.send(request)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.sockets:
            client.close()

    def read_all(self, within=120):
        """The bodies, in the order of the clients."""
        deadline = time.monotonic() + patience(within)
        selector = selectors.DefaultSelector()
        for client in self.sockets:
            selector.register(client, selectors.EVENT_READ)
        waiting = len(self.sockets)
        while waiting and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                try:
                    data = key.fileobj.recv(256 * KIB)
                except ConnectionError:  # what had come before is read already
                    data = b""
                buffer = self.received[key.fileobj]
                buffer += data
                if not data or len(buffer) - buffer.find(b"\r\n\r\n") - 4 >= self.size:
                    selector.unregister(key.fileobj)
                    waiting -= 1
        assert not waiting, f"{waiting} clients are still waiting"
        return [bytes(buffer[buffer.find(b"\r\n\r\n") + 4:]) for buffer in self.received.values()]

    def statuses(self):
        return {bytes(buffer[9:12]) for buffer in self.received.values()}


def many(number):
    """As many as asked for; fewer where a sanitizer makes each of them dear."""
    return number // 10 if is_sanitized() else number

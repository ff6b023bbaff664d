"""A network that breaks once: a TCP relay that resets the first connection over which so many bytes came back."""

import socket
import struct
import threading

from harness.accepting import Accepting


class BreakingRelay(Accepting):
    def __init__(self, target, after):
        self.target, self.after = target, after
        self.broken = 0
        super().__init__(self._relay)

    def _relay(self, client):
        with socket.create_connection(self.target) as server:
            upward = threading.Thread(target=self._pump, args=(client, server, False), daemon=True)
            upward.start()
            self._pump(server, client, True)
            upward.join()

    def _pump(self, source, target, breaks):
        passed = 0
        try:
            while data := source.recv(64 * 1024):
                target.sendall(data)
                passed += len(data)
                if breaks and passed >= self.after and not self.broken:
                    self.broken += 1
                    target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if breaks:
                end.close()

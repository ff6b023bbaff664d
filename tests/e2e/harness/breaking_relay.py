"""A network that breaks once: a TCP relay that resets the first connection over which so many bytes came back."""

import socket
import struct
import threading


class BreakingRelay:
    def __init__(self, target, after):
        self.target, self.after = target, after
        self.broken = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

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

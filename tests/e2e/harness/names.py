"""A name for this machine that clients do not take for a loopback one.

Go programs, git-lfs among them, never ask a proxy for `localhost` or 127.0.0.1, whatever `http.proxy` says. The machine's own host
name is free of that; where it does not resolve to an address of ours, 0.0.0.0 is, and reaches this machine too.
"""

import functools
import socket


@functools.lru_cache
def machine():
    """(name, address): servers bind the address, clients ask for the name."""
    name = socket.gethostname().lower()
    try:
        address = socket.gethostbyname(name)
        socket.create_server((address, 0)).close()
    except OSError:
        return "0.0.0.0", "0.0.0.0"
    return ("0.0.0.0", "0.0.0.0") if name == "localhost" else (name, address)

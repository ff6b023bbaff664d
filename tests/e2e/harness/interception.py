"""What a client of intercepted HTTPS has: our authority, made by `hawker ca init`, and TLS inside of a tunnel."""

import ssl
import subprocess

from harness import daemon
from harness.clients import environment, run

HAWKER = daemon.BINARY.resolve().parent / "hawker"
CDN = "files.hawker.test"  # a name that only `origin.hosts` knows


class OurAuthority:
    """`directory` for `ca.directory`; `ca_file` for clients."""

    def __init__(self, folder, *domains):
        self.directory = folder
        self.ca_file = folder / "ca.pem"
        constraints = [word for domain in domains for word in ("--permit", domain)] or ["--permit-any"]
        run(HAWKER, "ca", "init", "--directory", folder, *constraints)

    def context(self, **versions):
        """A client's, which trusts nobody else."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        for name, value in versions.items():
            setattr(context, name, value)
        return context


def options_for(origin, authority, **more):
    """Of a daemon that opens the tunnels to `origin`, by address and by name."""
    return {"ca.directory": str(authority.directory), "intercept": ["127.0.0.1", "*.hawker.test"],
            "origin.hosts": [f"{CDN}=127.0.0.1"], "destinations.connect_ports": [str(origin.port)], **more}


def inside(hawker, context, authority, name=None, **options):
    """A connection that has gone through CONNECT and a handshake; `name` where it is not the host's own."""
    connection = hawker.connect(**options)
    assert connection.connect_to(authority).status == 200
    return connection.start_tls(context, name or authority.rpartition(":")[0].strip("[]"))


def openssl_client(hawker, authority, *arguments):
    """`openssl s_client` through the proxy; what it printed of the session."""
    proxy = f"{hawker.proxy[0]}:{hawker.proxy[1]}"
    done = subprocess.run(["openssl", "s_client", "-proxy", proxy, "-connect", authority, *map(str, arguments)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), timeout=60, check=False)
    return done.stdout + done.stderr

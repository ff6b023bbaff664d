"""A client of a mirror: it has no proxy, and takes the mirror for the origin.

    mirror = MirrorClient(hawker.mirrors[0])
    assert mirror.get("/shared/blob").body == BODY.bytes()
"""

from harness import raw


class MirrorClient:
    def __init__(self, url, name=None):
        self.url = url
        self.host = url.removeprefix("http://")
        self.name = name or self.host  # what it calls the mirror
        self.address = (self.host.rpartition(":")[0], int(self.host.rpartition(":")[2]))

    def request(self, method, path, headers=None, body=None):
        """One request on a connection of its own; the whole response."""
        with raw.Connection(self.address) as connection:
            connection.request(method, path, {"Host": self.name, **(headers or {})}, body)
            return connection.response(method)

    def get(self, path, **headers):
        return self.request("GET", path, _named(headers))

    def head(self, path, **headers):
        return self.request("HEAD", path, _named(headers))


def stored(hawker, response):
    """`response`, when what it brought is stored whole."""
    hawker.wait_until_stored(response)
    return response


def restarted(hawker, **keys):
    """A client of the same mirror with these keys too, after a restart on the same cache."""
    hawker.options["mirrors"][0].update(keys)
    hawker.stop()
    hawker.restart()
    return MirrorClient(hawker.mirrors[0])


def _named(headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}

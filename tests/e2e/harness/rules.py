"""The rules most tests run under: the first path segment says which one applies.

    /shared/...    immutable, knowing the URL is enough
    /verify/...    immutable, every principal needs a yes of its own
    /sha256/<hex>  immutable, the path names the digest, knowing it is the right
    /http/...      HTTP freshness
    /follow/...    like /shared/, redirects are followed inside
    /binary/...    like /shared/, only application/octet-stream is stored
    /tls/...       like /verify/, the client says http:// and the origin gets https://
    everything else is passed through
"""

from harness.signing import PARAMETERS

HOST = r"^https?://(?:127\.0\.0\.1|localhost):\d+"


def rule(name, match, **more):
    trusted = {"trust_origin": True} if "digest" in more or "learn_digest" in more else {}
    return {"name": name, "match": match, "key": {"strip": PARAMETERS}, "policy": "immutable", "access": "verify", **trusted, **more}


def default_rules():
    return [
        rule("shared", HOST + "/shared/", access="shared"),
        rule("verify", HOST + "/verify/"),
        rule("digest", HOST + "/sha256/(?P<sha256>[0-9a-f]{64})", digest="sha256", access="capability"),
        rule("http", HOST + "/http/", policy="http", access="shared"),
        rule("follow", HOST + "/follow/", access="shared", follow_redirects=True),
        rule("binary", HOST + "/binary/", access="shared", content_types=["application/octet-stream"]),
        rule("tls", HOST + "/tls/", origin_scheme="https"),
    ]

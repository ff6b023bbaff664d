"""requests sends large files through hawker without a CA: their hosts become http:// on the way to it, and it speaks https:// to them.

    python requests_adapter.py URL FILE

Change: HAWKER, where hawkerd listens; LARGE_FILES, the hosts that carry large files. Both can be set in the environment. hawkerd needs
a caching rule with `origin_scheme: https` for these hosts; the shipped rules have one. Everything else, tokens too, stays inside of
https://, in a tunnel through hawker. It takes the place of the adapter in Dragonfly's guide for Hugging Face.
Run by tests/e2e/test_examples.py.
"""

import os
import re
import sys
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

HAWKER = os.environ.get("HAWKER", "http://127.0.0.1:65001")
LARGE_FILES = os.environ.get("HAWKER_LARGE_FILES", r"(cdn-lfs.*|.*\.cdn|cas-bridge\..*)\.(hf|huggingface)\.co")


class ThroughHawker(HTTPAdapter):
    def send(self, request, **options):
        url = urlsplit(request.url)
        if url.scheme == "https" and re.fullmatch(LARGE_FILES, url.hostname or ""):
            request.url = url._replace(scheme="http").geturl()
            options["proxies"] = {"http": HAWKER}
        return super().send(request, **options)


def session():
    made = requests.Session()
    made.proxies = {"http": HAWKER, "https": HAWKER}
    made.mount("https://", ThroughHawker())
    return made


if __name__ == "__main__":
    with session().get(sys.argv[1], stream=True) as response, open(sys.argv[2], "wb") as file:
        response.raise_for_status()
        for piece in response.iter_content(1 << 20):
            file.write(piece)
        print(response.headers.get("Cache-Status", "not through hawker"))

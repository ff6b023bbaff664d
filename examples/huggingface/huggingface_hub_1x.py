"""huggingface_hub 1.x (httpx) downloads through hawker without a CA and without HF_ENDPOINT.

    python huggingface_hub_1x.py REPO FILE [REVISION]

Change: HAWKER, where hawkerd listens; LARGE_FILES, the hosts that carry large files: they become http:// on the way to hawker, which
speaks https:// to them by a caching rule with `origin_scheme: https` (the shipped rules have one). Everything else, tokens too, stays
inside of https://. Where HF_ENDPOINT can be set, the mirror is simpler and caches listings too: docs/mirrors.md.
Xet is switched off, because its traffic never goes through httpx. Run by tests/e2e/test_examples.py.
"""

import os
import re
import sys

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # read when huggingface_hub is imported

import httpx
from huggingface_hub import hf_hub_download, set_client_factory

HAWKER = os.environ.get("HAWKER", "http://127.0.0.1:65001")
LARGE_FILES = os.environ.get("HAWKER_LARGE_FILES", r"(cdn-lfs.*|.*\.cdn|cas-bridge\..*)\.(hf|huggingface)\.co")


class ThroughHawker(httpx.HTTPTransport):
    def handle_request(self, request):
        if request.url.scheme == "https" and re.fullmatch(LARGE_FILES, request.url.host):
            request.url = request.url.copy_with(scheme="http")
        return super().handle_request(request)


def client():
    return httpx.Client(transport=ThroughHawker(proxy=HAWKER), follow_redirects=True, timeout=None)


set_client_factory(client)

if __name__ == "__main__":
    print(hf_hub_download(sys.argv[1], sys.argv[2], revision=sys.argv[3] if sys.argv[3:] else None))

"""huggingface_hub before 1.0 (requests) downloads through hawker without a CA and without HF_ENDPOINT.

    python huggingface_hub_0x.py REPO FILE [REVISION]

Change: what requests_adapter.py says. Where HF_ENDPOINT can be set, the mirror is simpler and caches listings too: docs/mirrors.md.
Xet is switched off, because its traffic never goes through requests. Run by tests/e2e/test_examples.py.
"""

import os
import sys

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # read when huggingface_hub is imported

from huggingface_hub import configure_http_backend, hf_hub_download
from requests_adapter import session

configure_http_backend(backend_factory=session)

if __name__ == "__main__":
    print(hf_hub_download(sys.argv[1], sys.argv[2], revision=sys.argv[3] if sys.argv[3:] else None))

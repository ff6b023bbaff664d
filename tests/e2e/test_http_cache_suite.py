"""`policy: http` under the suite http-cache-tests: what does not pass is what docs/http-caching.md says, for the reason it gives."""

import json
import re
import shutil

import pytest

from harness.clients import run
from harness.daemon import REPOSITORY, is_sanitized
from harness.rules import HOST, rule

PLACE = REPOSITORY / "build/clients/http-cache-tests"
RUNNER = REPOSITORY / "tests/e2e/clients/http_cache_suite.mjs"
PAGE = REPOSITORY / "docs/http-caching.md"
LEAST = {"required": 152, "optimal": 79}

pytestmark = [pytest.mark.clients, pytest.mark.skipif(not (shutil.which("node") and (PLACE / "node_modules").exists()),
                                                     reason="scripts/install_clients.sh http-cache-tests")]


def documented_failures():
    return dict(re.findall(r"^\| `([^`]+)` \| (required|optimal) \|", PAGE.read_text(), re.M))


def test_what_fails_is_what_the_documentation_says(start_hawker):
    hawker = start_hawker(rules=[rule("all", HOST + "/", policy="http", access="shared", store_cookies=True)])
    done = run("node", "--no-warnings", RUNNER, PLACE, hawker.proxy_url, within=120)
    tests = {name: test for name, test in json.loads(done.stdout)["tests"].items() if test["suite"] != "surrogate-control"}
    if is_sanitized():
        return  # its clocks are real, and run too fast for a slow daemon; what it finds then stands in the log
    counted = {kind: [name for name, test in tests.items() if test["kind"] == kind] for kind in LEAST}
    assert {kind: len(names) for kind, names in counted.items()} == {"required": 160, "optimal": 88}
    failed = {name: test["kind"] for name, test in tests.items() if test["kind"] in LEAST and test.get("result") is not True}
    assert failed == documented_failures(), {name: tests[name].get("result") for name in failed}
    for kind, names in counted.items():
        assert sum(name not in failed for name in names) >= LEAST[kind]

"""The shipped units: what systemd itself says of them."""

import pathlib
import re
import shutil
import subprocess

import pytest

from harness.daemon import BINARY, REPOSITORY
from harness.waiting import patience

MOST_EXPOSED = 2.0
UNITS = REPOSITORY / "systemd"

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze (package systemd)")


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", "--no-pager", *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=patience(60))
    return done.returncode, done.stdout + done.stderr


def directives(unit):
    """(line, the line before it) of everything that sets something in the sections that say how the service runs."""
    section, before = "", ""
    for line in (UNITS / unit).read_text().splitlines():
        if line.startswith("["):
            section = line
        elif re.match(r"\w+=", line) and section in ("[Service]", "[Socket]"):
            yield line, before
        before = line


def test_the_service_is_hardly_exposed():
    code, text = analyze("security", "--offline=true", UNITS / "hawkerd.service")
    found = re.search(r"Overall exposure level for hawkerd.service: ([\d.]+)", text)
    assert found, f"{code}: {text}"
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.daemon
def test_the_units_are_what_systemd_understands(tmp_path):
    for unit in ("hawkerd.service", "hawkerd.socket"):
        text = (UNITS / unit).read_text()
        # The binary is not installed on the machine that tests.
        pathlib.Path(tmp_path / unit).write_text(text.replace("/usr/local/bin/hawkerd", str(BINARY.resolve())))
    code, text = analyze("verify", "--man=no", tmp_path / "hawkerd.service", tmp_path / "hawkerd.socket")
    complaints = [line for line in text.splitlines() if "hawkerd" in line]
    assert (code, complaints) == (0, []), text


@pytest.mark.parametrize("unit", ["hawkerd.service", "hawkerd.socket"])
def test_every_line_says_why(unit):
    assert [line for line, before in directives(unit) if not before.startswith("# ")] == []

"""A machine with a Hub client on it: a home of its own, and nothing but HF_ENDPOINT to find the mirror by."""

import json
import subprocess

from harness.clients import environment
from harness.pypi import CLIENTS
from harness.waiting import patience


class HubMachine:
    """`HubMachine(folder, program, mirror).run("hub_scenarios.py", "small")`: what that script of clients/ printed."""

    def __init__(self, folder, program, mirror, token=None, **variables):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.program = folder, program
        self.cache = folder / ".cache/huggingface/hub"
        tokens = {"READER_TOKEN": token} if token else {}
        self.variables = environment(HOME=str(folder), HF_ENDPOINT=mirror.url, HF_HUB_DISABLE_TELEMETRY="1",
                                     HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_DISABLE_UPDATE_CHECK="1", **tokens, **variables)

    def run(self, script, *arguments, within=120):
        return json.loads(self.execute(self.program, CLIENTS / script, *arguments, within=within).splitlines()[-1])

    def start(self, *command):
        with open(self.folder / "output", "ab") as output:
            return subprocess.Popen([str(part) for part in command], env=self.variables, cwd=self.folder, stdout=output, stderr=output)

    def execute(self, *command, within=120, check=True):
        done = subprocess.run([str(part) for part in command], env=self.variables, cwd=self.folder, capture_output=True, text=True,
                              timeout=patience(within), check=False)
        (self.folder / "errors").write_text(done.stderr)
        if check and done.returncode != 0:
            raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout

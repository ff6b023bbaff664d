"""ModelScope's own Python client on a machine of its own: a home and a cache of its own, and MODELSCOPE_ENDPOINT."""

import json
import pathlib
import subprocess

from harness import pypi
from harness.clients import environment
from harness.waiting import patience

_WORKER = """
import importlib, json, sys

task = json.load(sys.stdin)
module = "snapshot_download" if "snapshot" in task["action"] else "file_download"
action = getattr(importlib.import_module(f"modelscope.hub.{module}"), task["action"])
print("path:", action(*task["arguments"], **task["options"]))
"""


class ModelScopeMachine:
    """`client`: "modelscope", or "modelscope-old", from before 1.38, which speaks https alone and knows no scheme."""

    def __init__(self, folder, endpoint, client="modelscope", **more):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.python = pypi.python(client)
        self.environment = environment(**{
            "HOME": str(self.folder), "MODELSCOPE_CACHE": str(self.folder / "cache"), "MODELSCOPE_HOME": str(self.folder / "home"),
            "MODELSCOPE_ENDPOINT": endpoint, "MODELSCOPE_DOMAIN": endpoint.partition("://")[2],
            "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "1", **more})

    def start(self, action, *arguments, **options):
        """model_file_download, snapshot_download, dataset_file_download, dataset_snapshot_download."""
        task = json.dumps({"action": action, "arguments": arguments, "options": options})
        process = subprocess.Popen([str(self.python), "-c", _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment)
        process.stdin.write(task)
        process.stdin.close()
        process.stdin = None
        return process

    def run(self, action, *arguments, **options):
        """Where it is."""
        process = self.start(action, *arguments, **options)
        out, err = process.communicate(timeout=patience(120))
        if process.returncode != 0:
            raise AssertionError(f"{action} ended with {process.returncode}:\n{out[-1000:]}\n{err[-4000:]}")
        return pathlib.Path(out.rsplit("path: ", 1)[1].strip())

    def objection(self, action, *arguments, **options):
        """What the client said when it could not."""
        try:
            path = self.run(action, *arguments, **options)
        except AssertionError as failure:
            return str(failure)
        raise AssertionError(f"{action} went well: {path}")

    def command(self, *arguments):
        """`modelscope ...`"""
        return subprocess.run([str(self.python.parent / "modelscope"), *arguments], capture_output=True, text=True,
                              env=self.environment, timeout=patience(120), check=False)

"""The real hf_xet, one machine each: a home of its own, so that nothing that one has is known to another."""

import json
import pathlib
import subprocess

from harness import pypi
from harness.clients import environment
from harness.waiting import patience

_WORKER = """
import json, sys
import hf_xet

task = json.load(sys.stdin)
connection = {"endpoint": task["token"]["casUrl"], "token": task["token"]["accessToken"],
              "token_expiry_unix_secs": task["token"]["exp"]}
if task.get("refresh_url"):
    connection["token_refresh_url"] = task["refresh_url"]
session = hf_xet.XetSession()
if task["action"] == "upload":
    with session.new_upload_commit(**connection) as commit:
        running = [commit.start_upload_file(path) for path in task["paths"]]
    print(json.dumps([upload.result().xet_info.hash for upload in running]))
else:
    with session.new_file_download_group(**connection) as group:
        for name, size, path in task["files"]:
            group.start_download_file(hf_xet.XetFileInfo(name, size), path)
"""


class XetMachine:
    """`proxy` and `ca_file` as a user would set them in the environment."""

    def __init__(self, folder, proxy=None, ca_file=None, **more):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self._environment = {"HOME": str(self.folder), "HF_HOME": str(self.folder / "hf"), "HF_XET_CLIENT_RETRY_BASE_DELAY": "50ms",
                             "HF_XET_LOG_DEST": str(self.folder / "log"), **more}
        if proxy:
            # Lower case as well: HTTP_PROXY in capitals is not read by everybody.
            self._environment |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
        if ca_file:
            self._environment["SSL_CERT_FILE"] = str(ca_file)

    def upload(self, token, files):
        """{name: bytes} -> {name: xet hash}."""
        place = self.folder / "to upload"
        place.mkdir(exist_ok=True)
        for name, data in files.items():
            (place / name).write_bytes(data)
        done = self._run({"action": "upload", "token": token, "paths": [str(place / name) for name in files]})
        return dict(zip(files, json.loads(done.stdout)))

    def download(self, token, file, refresh_url=None):
        """The bytes of one file of the CAS."""
        return self.download_all(token, [file], refresh_url)[0]

    def download_all(self, token, files, refresh_url=None):
        paths = [self.folder / f"{file.hash[:16]}-{number}" for number, file in enumerate(files)]
        wanted = [(file.hash, file.size, str(path)) for file, path in zip(files, paths)]
        self._run({"action": "download", "token": token, "files": wanted, "refresh_url": refresh_url})
        return [path.read_bytes() for path in paths]

    def try_to_download(self, token, file):
        """What hf_xet said when it could not; None when it could."""
        try:
            self.download(token, file)
        except AssertionError as failure:
            return str(failure)
        return None

    def _run(self, task):
        done = subprocess.run([str(pypi.python("xet")), "-c", _WORKER], input=json.dumps(task), capture_output=True, text=True,
                              env=environment(**self._environment), timeout=patience(120), check=False)
        if done.returncode != 0:
            raise AssertionError(f"hf_xet ended with {done.returncode}:\n{done.stderr[-4000:]}")
        return done

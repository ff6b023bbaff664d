"""curl and aria2c, kept away from the environment's proxies and configuration files."""

import hashlib
import os
import subprocess

from harness.waiting import patience


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "LC_ALL": "C", **more}


def run(*command, check=True, within=60, env=None, cwd=None):
    done = subprocess.run([str(part) for part in command], capture_output=True, env=environment(**(env or {})), cwd=cwd,
                          timeout=patience(within), check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]!r}\n{done.stderr[-4000:]!r}")
    return done


class Curl:
    """curl --proxy hawker; each call writes into `folder`."""

    def __init__(self, folder, hawker, authority):
        self.folder = folder
        self._base = ["curl", "-q", "-sS", "--proxy", hawker.proxy_url, "--noproxy", "", "--cacert", str(authority.ca_file),
                      "--max-time", str(int(patience(60)))]

    def run(self, *arguments, check=True):
        return run(*self._base, *arguments, check=check, cwd=self.folder)

    def body(self, url, *arguments):
        return self.run(*arguments, url).stdout

    def status(self, url, *arguments):
        """The status code; the body is thrown away."""
        return int(self.run("-o", "/dev/null", "-w", "%{http_code}", *arguments, url).stdout)

    def heads(self, url, *arguments):
        """Header fields of the last response, by lower-case name."""
        text = self.run("-o", "/dev/null", "-D", "-", *arguments, url).stdout.decode("latin-1")
        head = text.replace("\r\n", "\n").strip().split("\n\n")[-1]
        lines = (line.partition(":") for line in head.split("\n")[1:])
        return {name.lower(): value.strip() for name, _, value in lines}


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()

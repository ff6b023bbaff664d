"""git and git-lfs with a home of their own, pointed at hawker exactly as the documentation says."""

import os
import subprocess

from harness.waiting import patience


class Git:
    def __init__(self, folder, authority):
        self.folder = folder
        self._clones = 0
        home = folder / "home"
        home.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.environment = {
            **kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSL_CAINFO": str(authority.ca_file), "LC_ALL": "C",
        }
        self.run("lfs", "install", "--skip-repo")
        self.run("config", "--global", "user.name", "Test")
        self.run("config", "--global", "user.email", "test@example.org")

    def configure(self, name, value):
        self.run("config", "--global", name, value)

    def use_proxy(self, hawker, storage):
        """The three lines that a user types."""
        self.configure("http.proxy", hawker.proxy_url)
        self.configure("lfs.transfer.enablehrefrewrite", "true")
        self.configure(f"url.http://{storage.host}/.insteadOf", f"https://{storage.host}/")

    def run(self, *arguments, cwd=None, check=True, within=60, **environment):
        done = subprocess.run(["git", *map(str, arguments)], cwd=cwd or self.folder, capture_output=True, text=True,
                              env={**self.environment, **environment}, timeout=patience(within), check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"git {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")
        return done

    def clone(self, url, **environment):
        """A fresh clone with its LFS objects; its folder."""
        self._clones += 1
        target = self.folder / f"clone-{self._clones}"
        self.run("clone", "-q", url, target, **environment)
        return target

    def push(self, clone, name, content):
        """One file more on main."""
        content.write_to(clone / name)
        self.run("add", name, cwd=clone)
        self.run("commit", "-q", "-m", f"add {name}", cwd=clone)
        self.run("push", "-q", "origin", "main", cwd=clone)

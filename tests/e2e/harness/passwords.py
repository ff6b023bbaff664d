"""An htpasswd file, as `htpasswd -B` writes it; its passwords are planted secrets."""

import crypt
import warnings

from harness.secrets import plant

warnings.filterwarnings("ignore", message="'crypt' is deprecated")


class Passwords:
    """`of[user]` is the password; `file` for `auth.htpasswd`. Each step of `cost` doubles the time of a verification."""

    def __init__(self, folder, *users, cost=5):
        self.file = folder / "users"
        self.cost = cost
        self.of = {}
        for user in users:
            self.set(user)

    def set(self, user, password=None):
        """A new password for the user, written at once."""
        self.of[user] = plant(password or f"c4naryS3cret-{user}-{len(self.of)}")
        self._write()
        return self.of[user]

    def remove(self, user):
        del self.of[user]
        self._write()

    def _write(self):
        lines = (f"{user}:{crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << self.cost))}\n"
                 for user, password in self.of.items())
        self.file.write_text("".join(lines))
        self.file.chmod(0o600)

    def url(self, hawker, user, password=None):
        host, port = hawker.proxy
        return f"http://{user}:{password or self.of[user]}@{host}:{port}"

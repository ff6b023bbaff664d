"""A real nginx that checks signed URLs with secure_link; unprivileged, one process, everything below its own folder."""

import base64
import hashlib
import subprocess
import time

from harness.ports import accepts, free_port
from harness.signing import CANARY
from harness.waiting import eventually

SECRET = CANARY + "-nginx"

CONFIG = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    log_format counted '$request_method $uri $status $body_bytes_sent';
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    types {{ }}
    default_type application/octet-stream;
    sendfile on;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_client_certificate {ca};
        ssl_verify_client optional;
        access_log {folder}/counted.log counted;
        root {folder}/www;
        location /open/ {{ }}
        location /known/ {{ if ($ssl_client_verify != SUCCESS) {{ return 403; }} }}
        location / {{
            secure_link $arg_md5,$arg_expires;
            secure_link_md5 "$secure_link_expires$uri {secret}";
            if ($secure_link = "") {{ return 403; }}
            if ($secure_link = "0") {{ return 410; }}
        }}
    }}
}}
"""


class Nginx:
    """Files below www/ need a signature, those below www/open/ do not; www/known/ is for clients with a certificate."""

    def __init__(self, folder, authority):
        self.folder = folder
        self.root = folder / "www"
        (self.root / "open").mkdir(parents=True)
        self._authority = authority
        self._process = None

    def start(self):
        # A free port may be taken before nginx binds it; then it ends, and we try other ones.
        for _ in range(5):
            self.port, self.tls_port = free_port(), free_port()
            config = self.folder / "nginx.conf"
            config.write_text(CONFIG.format(folder=self.folder, port=self.port, tls_port=self.tls_port, secret=SECRET,
                                            certificate=self._authority.certificate, key=self._authority.key,
                                            ca=self._authority.ca_file))
            self._process = subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(config)],
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            eventually(lambda: self._process.poll() is not None or accepts(self.port), "nginx")
            if self._process.poll() is None:
                return self
        raise AssertionError((self.folder / "error.log").read_text())

    def stop(self):
        self._process.terminate()
        self._process.wait(10)

    def add(self, path, content):
        """`path` as in the URL, with its leading slash."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        content.write_to(file)

    def url(self, path, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.tls_port if scheme == 'https' else self.port}{path}"

    def signed_url(self, path, ttl=3600, scheme="http"):
        expires = int(time.time()) + ttl
        digest = hashlib.md5(f"{expires}{path} {SECRET}".encode()).digest()
        signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return f"{self.url(path, scheme)}?md5={signature}&expires={expires}"

    def bytes_sent(self, path):
        log = self.folder / "counted.log"
        lines = (line.split() for line in log.read_text().splitlines()) if log.exists() else ()
        return sum(int(sent) for _, uri, status, sent in lines if uri == path and status in ("200", "206"))

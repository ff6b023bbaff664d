"""A certificate authority of our own, made by openssl for one test session."""

import ssl
import subprocess

from harness.names import machine


class Authority:
    """`ca_file` signs `certificate`/`key`, which are good for 127.0.0.1, localhost, the machine's name and *.hawker.test."""

    def __init__(self, folder):
        self.ca_file = folder / "ca.crt"
        self.certificate = folder / "leaf.crt"
        self.key = folder / "leaf.key"
        self._folder = folder
        ca_key, request, extensions = folder / "ca.key", folder / "leaf.csr", folder / "leaf.ext"
        own = "IP:0.0.0.0" if machine()[0] == "0.0.0.0" else f"DNS:{machine()[0]}"
        extensions.write_text(f"subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.hawker.test,{own}\nbasicConstraints=CA:FALSE\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        _openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", self.ca_file, "-days", "2",
                 "-subj", "/CN=hawker test authority", "-addext", "keyUsage=critical,keyCertSign")
        _openssl("req", *curve, "-keyout", self.key, "-out", request, "-subj", "/CN=localhost")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", ca_key, "-CAcreateserial",
                 "-out", self.certificate, "-days", "2", "-extfile", extensions)

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client(self, name):
        """(certificate, key) of a client with this common name."""
        certificate, key, request, extensions = (self._folder / f"client-{name}.{end}" for end in ("crt", "key", "csr", "ext"))
        if not certificate.exists():
            extensions.write_text("basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")
            _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                     "-subj", f"/O=Example/CN={name}")
            _openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self._folder / "ca.key", "-CAcreateserial",
                     "-out", certificate, "-days", "2", "-extfile", extensions)
        return certificate, key

    def client_context(self):
        return ssl.create_default_context(cafile=str(self.ca_file))


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

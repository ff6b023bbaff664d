"""Container images: layers, a config, a manifest, and an index of several platforms; each named by its digest.

    image = Image([Content(3 * MIB)])
    index = Index([image, Image([Content(1 * MIB, seed=2)], architecture="arm64")])
    index.write_layout(folder)      # for `skopeo copy oci:FOLDER:latest docker://...`
"""

import gzip
import hashlib
import io
import json
import tarfile

from harness.content import Text

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
# What containerd accepts of a tag.
ACCEPT = (f"application/vnd.docker.distribution.manifest.v2+json, "
          f"application/vnd.docker.distribution.manifest.list.v2+json, {MANIFEST}, {INDEX}, */*")


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    """`contents` become the only file of a layer each."""

    media_type = MANIFEST

    def __init__(self, contents, architecture="amd64"):
        self.architecture = architecture
        plain = [_tar(content) for content in contents]
        self.layers = [Text(gzip.compress(data, 1, mtime=0)) for data in plain]
        self.config = Text(_json({"architecture": architecture, "os": "linux", "config": {},
                                  "rootfs": {"type": "layers", "diff_ids": [digest_of(data) for data in plain]}}))
        self.data = _json({"schemaVersion": 2, "mediaType": MANIFEST, "config": _descriptor(CONFIG, self.config.data),
                           "layers": [_descriptor(LAYER, layer.data) for layer in self.layers]})
        self.digest = digest_of(self.data)

    @property
    def blobs(self):
        return {digest_of(blob.data): blob for blob in [self.config, *self.layers]}

    @property
    def manifests(self):
        return {self.digest: self}

    @property
    def size(self):
        return sum(blob.size for blob in self.blobs.values())

    def write_layout(self, folder, tag="latest"):
        """An OCI image layout: what skopeo reads as `oci:FOLDER:TAG`."""
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        for digest, blob in self.blobs.items():
            (blobs / digest.removeprefix("sha256:")).write_bytes(blob.data)
        for digest, manifest in self.manifests.items():
            (blobs / digest.removeprefix("sha256:")).write_bytes(manifest.data)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        named = {**_descriptor(self.media_type, self.data), "annotations": {"org.opencontainers.image.ref.name": tag}}
        (folder / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [named]}))
        return f"oci:{folder}:{tag}"


class Index(Image):
    """Several platforms under one name."""

    media_type = INDEX

    def __init__(self, images):  # pylint: disable=super-init-not-called
        self.images = images
        entries = [{**_descriptor(MANIFEST, image.data), "platform": {"architecture": image.architecture, "os": "linux"}}
                   for image in images]
        self.data = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
        self.digest = digest_of(self.data)

    @property
    def blobs(self):
        return {digest: blob for image in self.images for digest, blob in image.blobs.items()}

    @property
    def manifests(self):
        return {self.digest: self, **{image.digest: image for image in self.images}}


def _descriptor(media_type, data):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _json(value):
    return json.dumps(value).encode()


def _tar(content):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        entry = tarfile.TarInfo("data")
        entry.size = content.size
        archive.addfile(entry, io.BytesIO(content.bytes()))
    return data.getvalue()

"""Runs inside of a client's own environment: calls of huggingface_hub, named on the command line, all in one interpreter. HF_ENDPOINT
is the mirror. Prints one JSON object: {call: what it gave, or the name of the exception}."""

import hashlib
import json
import os
import pathlib
import sys

import huggingface_hub as hub
from huggingface_hub.utils import HfHubHTTPError

SIZES = (0, 1, (10 << 20) - 1, 10 << 20, (10 << 20) + 1)
TOKEN = os.environ.get("READER_TOKEN")


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def one(repo, name, **more):
    return digest(hub.hf_hub_download(repo, name, **more))


def snapshot(repo, **more):
    root = pathlib.Path(hub.snapshot_download(repo, max_workers=8, **more))
    return {str(path.relative_to(root)): digest(path) for path in root.rglob("*") if path.is_file()}


def ranges():
    fs = hub.HfFileSystem(skip_instance_cache=True)
    with fs.open("org/model/model.bin", "rb", block_size=64 * 1024) as file:
        file.seek(1_000_000)
        middle = file.read(1000)
        file.seek(-10, 2)
        end = file.read(100)
    return [hashlib.sha256(middle).hexdigest(), hashlib.sha256(end).hexdigest(), sorted(fs.ls("org/model", detail=False))]


def paths():
    return sorted((each.path, each.size) for each in hub.HfApi().get_paths_info("org/model", ["model.bin", "config.json", "nothing"]))


def metadata():
    told = hub.get_hf_file_metadata(hub.hf_hub_url("org/model", "model.bin"))
    return [told.size, told.etag, told.commit_hash]


def transfer(size):
    import hf_transfer

    target = f"{size}.transferred"
    try:
        hf_transfer.download(hub.hf_hub_url("org/sizes", f"{size}.bin"), target, 8, 10 << 20)
    except Exception as error:  # its only kind
        raise ValueError(str(error)) from error
    return digest(target)


CALLS = {
    "small": lambda: one("org/model", "config.json"),
    "large": lambda: one("org/model", "model.bin"),
    "empty": lambda: one("org/model", "empty.txt"),
    "snapshot": lambda: snapshot("org/model"),
    "odd names": lambda: snapshot("org/odd"),
    "one odd name": lambda: one("org/odd", "with space, + and # & 100%/näme ☃.bin"),
    "no organisation": lambda: one("gpt2", "config.json"),
    "pull request": lambda: one("org/model", "config.json", revision="refs/pr/1"),
    "tag": lambda: one("org/model", "config.json", revision="v1.0"),
    "dataset": lambda: snapshot("org/table", repo_type="dataset"),
    "space": lambda: one("org/app", "app.py", repo_type="space"),
    "info": lambda: (lambda told: [told.sha, sorted(each.rfilename for each in told.siblings)])(hub.model_info("org/model")),
    "metadata": metadata,
    "paths": paths,
    "refs": lambda: sorted(each.name for each in hub.HfApi().list_repo_refs("org/model").branches),
    "pages": lambda: len(list(hub.HfApi().list_repo_tree("org/many", recursive=True))),
    "ranges": ranges,
    "private": lambda: one("org/private", "model.bin", token=TOKEN),
    "gated": lambda: one("org/gated", "model.bin", token=TOKEN),
    "gated listing": lambda: sorted(hub.HfApi().list_repo_files("org/gated")),
    "missing file": lambda: one("org/model", "missing.json"),
    "missing revision": lambda: one("org/model", "config.json", revision="nowhere"),
    "missing repository": lambda: one("org/nobody", "config.json"),
    "private, no token": lambda: one("org/private", "model.bin", token=False, cache_dir="of-somebody-else"),
    "gated, no token": lambda: one("org/gated", "model.bin", token=False, cache_dir="of-somebody-else"),
    **{f"sizes {size}": lambda size=size: one("org/sizes", f"{size}.bin") for size in SIZES},
    **{f"transfer {size}": lambda size=size: transfer(size) for size in SIZES},
    "beyond 50 MiB": lambda: one("org/big", "big.bin"),
}
MORE = {"beyond 50 MiB", *(f"transfer {size}" for size in SIZES)}  # said only when they are named


def outcome(call):
    try:
        return CALLS[call]()
    except (HfHubHTTPError, OSError, ValueError) as error:
        code = getattr(getattr(error, "response", None), "status_code", "")
        print(f"{call}: {type(error).__name__} {code}: {error}", file=sys.stderr)
        return type(error).__name__


print(json.dumps({call: outcome(call) for call in (sys.argv[1:] or [each for each in CALLS if each not in MORE])}))

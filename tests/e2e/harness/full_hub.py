"""A Hub with everything in it that its clients may stumble over, and what they should find there."""

import hashlib
import json

from harness.content import KIB, MIB, Content
from harness.small_hub import SmallHub

WEIGHTS = Content(3 * MIB)
ODD = "with space, + and # & 100%/näme ☃.bin"
SIZES = (0, 1, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1)
MODEL = {"config.json": b'{"architectures": ["Small"]}', "model.bin": WEIGHTS, "empty.txt": b"", "sub/notes.md": b"# Notes"}
ODD_FILES = {ODD: b"snow", "a+b.bin": Content(200 * KIB, seed=4), "a b.txt": b"space", "50%.txt": b"half", "x#y.txt": b"hash",
             "%2Fslash.txt": b"not a slash", "données.bin": Content(100 * KIB, seed=5)}
PRIVATE, GATED = Content(MIB, seed=6), Content(MIB, seed=7)
BEYOND_50_MIB = Content(51 * MIB, seed=9)


def sized(size):
    return Content(size, seed=8)


def fill(origin, cdn, token):
    """The Hub at `origin`; who brings `token` is a member."""
    hub = SmallHub(origin, cdn)
    hub.users[token] = "member"
    model = hub.repo("org/model", MODEL)
    model.ref("refs/pr/1", "a" * 40, {**MODEL, "config.json": b'{"proposed": true}'})
    model.ref("v1.0", "b" * 40, {"config.json": b'{"first": true}'})
    hub.repo("org/odd", ODD_FILES, commit="2" * 40)
    hub.repo("gpt2", {"config.json": b'{"old": true}'}, commit="3" * 40)
    hub.repo("org/many", {f"part-{number:05}.txt": b"x" for number in range(2345)}, commit="4" * 40)
    hub.repo("org/table", {"data/table.csv": b"a,b\n1,2\n3,4\n"}, type="datasets", commit="5" * 40)
    hub.repo("org/app", {"app.py": b"print()"}, type="spaces", commit="6" * 40)
    hub.repo("org/private", {"model.bin": PRIVATE}, commit="7" * 40, token=token)
    hub.repo("org/gated", {"model.bin": GATED, "README.md": b"# Agree first"}, commit="8" * 40, token=token, gated=True)
    hub.repo("org/sizes", {f"{size}.bin": sized(size) for size in SIZES}, commit="9" * 40, storage="lfs")
    hub.repo("org/big", {"big.bin": BEYOND_50_MIB}, commit="c" * 40)
    return hub


def sha(data):
    return data.sha256() if isinstance(data, Content) else hashlib.sha256(data).hexdigest()


def what_is_there():
    """What clients/hub_scenarios.py tells, whoever asks."""
    return {
        "small": sha(MODEL["config.json"]), "large": sha(WEIGHTS), "empty": sha(b""),
        "snapshot": {name: sha(data) for name, data in MODEL.items()}, "odd names": {name: sha(data) for name, data in ODD_FILES.items()},
        "one odd name": sha(ODD_FILES[ODD]), "no organisation": sha(b'{"old": true}'), "pull request": sha(b'{"proposed": true}'),
        "tag": sha(b'{"first": true}'), "dataset": {"data/table.csv": sha(b"a,b\n1,2\n3,4\n")}, "space": sha(b"print()"),
        "info": ["1" * 40, sorted(MODEL)], "metadata": [WEIGHTS.size, WEIGHTS.sha256(), "1" * 40],
        "paths": [["config.json", len(MODEL["config.json"])], ["model.bin", WEIGHTS.size]], "refs": ["main"], "pages": 2345,
        "ranges": [WEIGHTS.sha256(1_000_000, 1_001_000), WEIGHTS.sha256(WEIGHTS.size - 10),
                   ["org/model/config.json", "org/model/empty.txt", "org/model/model.bin", "org/model/sub"]],
        **{f"sizes {size}": sized(size).sha256() for size in SIZES},
    }


def for_members():
    return {"private": sha(PRIVATE), "gated": sha(GATED), "gated listing": ["README.md", "model.bin"]}


NOT_THERE = {  # and what it is called
    "missing file": {"EntryNotFoundError", "RemoteEntryNotFoundError"}, "missing revision": {"RevisionNotFoundError"},
    "missing repository": {"RepositoryNotFoundError"}, "private, no token": {"RepositoryNotFoundError"},
    "gated, no token": {"GatedRepoError"},
}


def tiny_model():
    """What transformers, and tokenizers in Rust, take for a model: a tokenizer of two words and very many others."""
    words = ["[UNK]", "</s>", "hello", "world", *(f"word{number}" for number in range(5000))]
    special = [{"id": number, "content": words[number], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for number in (0, 1)]
    model = {"type": "BPE", "vocab": {word: number for number, word in enumerate(words)}, "merges": [], "unk_token": "[UNK]",
             "ignore_merges": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
                 "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": byte_level, "model": model}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "eos_token": "</s>"}
    config = {"model_type": "bert", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": len(words),
              "eos_token_id": 1}
    return {name: json.dumps(value).encode()
            for name, value in {"config.json": config, "tokenizer.json": tokenizer, "tokenizer_config.json": settings}.items()}

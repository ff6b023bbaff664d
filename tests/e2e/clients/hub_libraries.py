"""transformers, datasets and the Rust hf-hub (as outlines_core has it), in one interpreter. HF_ENDPOINT is the mirror."""

import json

import datasets
import huggingface_hub
import outlines_core
import transformers

# It asks HF_ENDPOINT for the tokenizer, and somebody else for this one.
huggingface_hub.hf_hub_download("org/tiny", "tokenizer_config.json")
rust = len(outlines_core.Vocabulary.from_pretrained("org/tiny", None, None))
datasets.disable_progress_bars()
transformers.logging.disable_progress_bar()

config = transformers.AutoConfig.from_pretrained("org/tiny")
tokenizer = transformers.AutoTokenizer.from_pretrained("org/tiny")
told = {
    "config": [config.model_type, config.hidden_size],
    "tokens": tokenizer("hello world")["input_ids"],
    "csv": datasets.load_dataset("org/rows", split="train")["a"][:],
    "parquet": datasets.load_dataset("org/columns", split="train")["a"][:],
    "streamed": [row["a"] for row in datasets.load_dataset("org/rows", split="train", streaming=True)],
    "rust": rust,
}
print(json.dumps(told))

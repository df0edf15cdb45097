"""A tokenizer of which only sentencepiece's own file exists, as PixArt Sigma and others are published."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from transformers import T5Tokenizer

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.completeness import check_tokenizer

SENTENCES = ("a red star over the sea", "two green leaves in the snow", "a blue fish at night")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `spiece.model` and no `tokenizer.json`."""
    text = tmp_path / "sentences.txt"
    text.write_text("\n".join(SENTENCES * 20), encoding="utf-8")
    sentencepiece: Any = importlib.import_module("sentencepiece")
    marks = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(tmp_path / "spiece"), vocab_size=28, minloglevel=2, **marks
    )
    text.unlink()
    (tmp_path / "spiece.vocab").unlink()
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer"}), encoding="utf-8")
    return tmp_path


def test_the_file_is_read_and_its_words_are_counted(folder: Path) -> None:
    check_tokenizer("tokenizer", T5Tokenizer, folder, 128)
    words: Any = T5Tokenizer.from_pretrained(folder, local_files_only=True)
    assert words.decode(words("a red star").input_ids, skip_special_tokens=True) == "a red star"


def test_a_broken_file_is_a_sentence(folder: Path) -> None:
    file = folder / "spiece.model"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ModelUnavailable, match="download it again"):
        check_tokenizer("tokenizer", T5Tokenizer, folder, 128)

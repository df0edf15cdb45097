"""Finds the embeddings that a prompt names, for one loaded model."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.choosing import broken_key
from pipeline.engine.loras.contents import Contents, MadeOfFiles, anything
from pipeline.engine.loras.embeddings import Embedding, EmbeddingUnfit, check_fits, embedding_in, layout_of
from pipeline.engine.loras.folder import LoraFolder
from pipeline.prompts.embeddings import EmbeddingNames, Mention, marks_beside
from pipeline.protocol.wire.outputs import Notice

_KEPT_FILES: Final = 64

log = logging.getLogger(__name__)


class Mark(msgspec.Struct, frozen=True, eq=False):
    """Embedding behind one letter of a marked text, and the text that the member typed for it."""

    embedding: Embedding
    typed: str


Marks = Mapping[str, Mark]
"""Marks by letter; no text of the job contains these letters otherwise."""


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """Texts in which a single letter replaces each embedding's name.

    So characters of the name are not parsed as prompt syntax.

    Attributes:
        texts: the marked texts, in the given order.
        marks: embeddings by letter.
        digests: SHA-256 of the embeddings' files, by the embedding's name; embeddings in a LoRA are left out.
        notices: facts about names that were removed.
    """

    texts: tuple[str, ...]
    marks: Marks
    digests: Mapping[str, str]
    notices: tuple[Notice, ...]


class ModelEmbeddings:
    """Use of embeddings in one loaded model.

    Args:
        folder: the owner's LoRA folder.
        widths: length of a token's vector in each text encoder; empty when the model takes no embeddings.
    """

    def __init__(self, folder: LoraFolder, widths: Sequence[int] = ()) -> None:
        self._folder = folder
        self._widths = widths
        self._names = EmbeddingNames(folder.names)
        self._files = MadeOfFiles(_embedding_of, anything, _KEPT_FILES)

    def mark(self, texts: Sequence[str], along: Mapping[str, Embedding]) -> Marked:
        """Find the embeddings that texts name, and replace each name by a letter.

        Args:
            texts: texts without LoRA tags.
            along: embeddings in the files of the job's LoRAs, by name.
        """
        brought = {name.casefold(): embedding for name, embedding in along.items()}
        names = self._names
        if brought:
            names = EmbeddingNames({**self._folder.names, **{name: name.casefold() for name in along}})
        reader = _Reader(self, self._folder, brought, marks_beside("".join(texts)))
        marked = tuple(names.replaced(text, reader.letter) for text in texts)
        return Marked(texts=marked, marks=reader.marks, digests=reader.digests, notices=tuple(reader.notices.values()))

    def read(self, path: Path) -> Embedding:
        """Read the embedding in a file of the folder.

        Raises:
            EmbeddingUnfit: it does not fit this model.
            ModelUnavailable: the file cannot be read; the message is one sentence.
        """
        return self.fitting(self._files.of(path).result)

    def fitting(self, embedding: Embedding) -> Embedding:
        """Return the embedding if it fits this model.

        Raises:
            EmbeddingUnfit: it does not fit this model.
        """
        check_fits(embedding, self._widths)
        return embedding


class _Reader:
    """Collects a letter for each embedding in the texts of one job, and a notice for each unusable name."""

    def __init__(
        self, known: ModelEmbeddings, folder: LoraFolder, along: Mapping[str, Embedding], letters: Iterator[str]
    ) -> None:
        self._known = known
        self._folder = folder
        self._along = along
        self._letters = letters
        self.marks: dict[str, Mark] = {}
        self.digests: dict[str, str] = {}
        self.notices: dict[str, Notice] = {}

    def letter(self, mention: Mention) -> str | None:
        """Letters that replace a mention; None removes the mention."""
        if mention.key is None:
            self._tell(mention, self._stranger(mention.name))
            return None
        try:
            embedding = self._embedding(mention.key)
        except EmbeddingUnfit as error:
            values: dict[str, str | int] = {"name": mention.name, "reason": str(error)}
            self._tell(mention, Notice(key="notice-embedding-unfit", values=values))
        except ModelUnavailable as error:
            log.warning("The embedding %s cannot be read: %s", mention.name, error)
            self._tell(mention, Notice(key=broken_key(error), values={"name": mention.name}))
        else:
            letter = next(self._letters)
            self.marks[letter] = Mark(embedding, mention.typed)
            return letter
        return mention.typed if mention.is_bare else None

    def _embedding(self, key: str) -> Embedding:
        brought = self._along.get(key)
        if brought is not None:
            return self._known.fitting(brought)
        file = self._folder.find_embedding(key)
        if file is None:
            raise AssertionError("Only names that the folder knows are read.")
        embedding = self._known.read(file.path)
        self.digests[file.entry.name] = embedding.digest
        return embedding

    def _stranger(self, name: str) -> Notice:
        """Notice about a name that no embedding has."""
        lora = self._folder.find(name)
        if lora is not None:
            return Notice(key="notice-embedding-is-lora", values={"name": name, "tag": lora.entry.tag})
        near = ", ".join(self._folder.embeddings_like(name))
        return Notice(key="notice-embedding-unknown", values={"name": name, "near": near or "none"})

    def _tell(self, mention: Mention, notice: Notice) -> None:
        self.notices[mention.name.casefold()] = notice


def _embedding_of(contents: Contents) -> Embedding:
    layout = layout_of(contents.header, contents.name)
    if layout is None:
        raise EmbeddingUnfit("its file is no embedding any more")
    return embedding_in(contents, layout)

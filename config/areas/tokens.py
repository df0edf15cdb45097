"""Tokens of the settings, each as itself or in a file."""

from pathlib import Path

from pydantic import SecretStr

from config.reading import NotReadable, read_text


def token_words(token: SecretStr | None, file: Path | None, setting: str, remedy: str) -> tuple[list[str], str]:
    """The words of a token from its field or its file, without quotation marks, and where they stand.

    Args:
        token: the field.
        file: the file; the field comes first.
        setting: name of the field; that of the file ends in `_file`.
        remedy: what to paste, for messages.

    Returns:
        The words, none if neither is set, and their place for messages.

    Raises:
        NotReadable: the file cannot be read, or the text is empty. The message follows a subject such as "The token".
    """
    # A compose file sets a variable without a value to the empty string.
    if token is not None and (token.get_secret_value().strip() or file is None):
        text, where = token.get_secret_value(), setting
    elif file is None:
        return [], ""
    else:
        where = f"{file} ({setting}_file)"
        try:
            text = read_text(file)
        except NotReadable as error:
            raise NotReadable(f"in {where} {error}") from error
    words = text.replace('"', " ").replace("'", " ").split()
    if not words:
        raise NotReadable(f"in {where} is empty; paste {remedy}")
    return words, where


def only_word(words: list[str], where: str) -> str:
    """The token, which is one word.

    Raises:
        NotReadable: there are several words, or letters that no token has.
    """
    if len(words) > 1 or not words[0].isascii() or not words[0].isprintable():
        raise NotReadable(f"in {where} is not one word of plain letters; paste nothing but the token")
    return words[0]

"""Print what CHANGELOG.md says about a version that is released now: `python .ci/notes.py v0.2.1`.

Exit code 1 with one sentence if the tag is not the version of pyproject.toml, or the changelog does not date it.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


class NotReady(Exception):
    """What hinders the release."""


def notes_of(tag: str, project: str, changelog: str) -> str:
    """The part of the changelog about this version.

    Args:
        tag: of git, such as "v0.2.1".
        project: content of pyproject.toml.
        changelog: content of CHANGELOG.md.

    Raises:
        NotReady: the three do not agree.
    """
    version = str(tomllib.loads(project)["project"]["version"])
    if tag != f"v{version}":
        raise NotReady(f"the tag is {tag}, and the version in pyproject.toml is {version}; make the tag v{version}.")
    parts = re.split(r"^## \[(\S+)\] - (\S+)$", changelog, flags=re.MULTILINE)
    dated = {name: (date, text.strip()) for name, date, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)}
    if version not in dated:
        raise NotReady(f"CHANGELOG.md has no part about {version}; write one.")
    date, text = dated[version]
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise NotReady(f"CHANGELOG.md says of {version} that it is {date}; write the day of the release there.")
    return text


def main() -> None:
    """As the first lines of this file say."""
    try:
        text = notes_of(
            sys.argv[1],
            (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
            (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        )
    except NotReady as error:
        raise SystemExit(f"Not released: {error}") from error
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()

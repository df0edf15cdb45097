"""What every benchmark answers."""

import os
from typing import Any

import msgspec


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One result.

    Attributes:
        name: of the benchmark.
        goal: in words.
        value: the figure that the goal is about.
        holds: whether the goal is reached.
        median: of the pairs or samples.
        minimum: of the pairs or samples.
        pairs: how many were taken.
        detail: further figures by name.
    """

    name: str
    goal: str
    value: float
    holds: bool
    median: float
    minimum: float
    pairs: int
    detail: dict[str, float | int | str]

    def as_json(self) -> dict[str, Any]:
        """The contract's object."""
        return {
            "name": self.name,
            "goal": self.goal,
            "value": self.value,
            "holds": self.holds,
            "median": self.median,
            "min": self.minimum,
            "pairs": self.pairs,
            "load_average": os.getloadavg()[0],
            "detail": self.detail,
        }

    def as_table(self) -> str:
        """For people."""
        rows = {**self.as_json(), "detail": ""} | {f"  {name}": value for name, value in self.detail.items()}
        width = max(len(name) for name in rows)
        return "\n".join(
            f"{name:<{width}}  {value:.3f}" if isinstance(value, float) else f"{name:<{width}}  {value}"
            for name, value in rows.items()
        )

"""The report of a benchmark."""

import os
from typing import Any

import msgspec


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one benchmark.

    Attributes:
        name: name of the benchmark.
        goal: the goal in words.
        value: the figure in the goal.
        holds: whether the goal is reached.
        median: median of the pairs or samples.
        minimum: minimum of the pairs or samples.
        pairs: number of pairs or samples.
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
        """The report as a JSON object, with the load of the machine."""
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
        """The report as a table for people."""
        rows = {**self.as_json(), "detail": ""} | {f"  {name}": value for name, value in self.detail.items()}
        width = max(len(name) for name in rows)
        return "\n".join(
            f"{name:<{width}}  {value:.3f}" if isinstance(value, float) else f"{name:<{width}}  {value}"
            for name, value in rows.items()
        )

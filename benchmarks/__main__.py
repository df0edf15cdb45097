"""`python -m benchmarks NAME [--json]`: run one benchmark and print its table, or one JSON object."""

import argparse
import importlib
import json
import pkgutil

import benchmarks
from benchmarks.report import Report


def main() -> None:
    """Parse the arguments, run, print."""
    names = sorted(
        module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name not in ("__main__", "report")
    )
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", choices=[name for name in names if not name.startswith("_")])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    report: Report = importlib.import_module(f"benchmarks.{arguments.name}").run()
    print(json.dumps(report.as_json()) if arguments.json else report.as_table())


if __name__ == "__main__":
    main()

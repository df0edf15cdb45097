# Lint, format, import contracts and types: what needs no test.
check:
    uv run ruff check .
    uv run ruff format --check .
    uv run lint-imports
    uv run basedpyright

# The tests that start nothing: neither torch nor another process.
fast:
    uv run pytest -n auto --dist loadfile -m "not worker and not system"

# The tests at PATH.
test PATH:
    uv run pytest {{ PATH }}

# The tests of weights in NF4 and int8, with the extras that keep them so; torchao's source has a warning of Python's.
packed:
    uv run --with bitsandbytes --with torchao pytest -n0 -W "ignore:invalid escape sequence" tests/pipeline/engine/weights/test_packed_layers.py

# Write docs/schema.sql anew, after a migration was added.
schema:
    uv run python -m tests.bot.store.sqlite.schema > docs/schema.sql

# Keep the database that this version writes, before it is released.
keep:
    uv run python -m tests.released.keep

# What must pass before a change is taken.
gate:
    .ci/run

# Break the code at PATH in small ways, one at a time, and list what the tests beside it do not see (test_x.py of x.py).
mutants PATH:
    rm -rf mutants
    CI=true PYTEST_ADDOPTS="-p no:cacheprovider -o testpaths=tests/{{ if PATH =~ '\.py$' { parent_directory(PATH) + "/test_" + file_name(PATH) } else { PATH } }}" \
        nice uv run mutmut run --max-children 2 "{{ replace(trim_end_match(PATH, '.py'), '/', '.') }}.*"
    uv run mutmut results | grep -v "not checked" || echo "The tests see all of them."

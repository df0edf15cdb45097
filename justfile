# Break the code at PATH in small ways, one at a time, and list what the tests beside it do not see.
mutants PATH:
    rm -rf mutants
    PYTEST_ADDOPTS="-p no:cacheprovider -o testpaths=tests/{{ if PATH =~ '\.py$' { parent_directory(PATH) } else { PATH } }}" \
        nice uv run mutmut run --max-children 2 "{{ replace(trim_end_match(PATH, '.py'), '/', '.') }}.*"
    uv run mutmut results | grep -v "not checked" || echo "The tests see all of them."

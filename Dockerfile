# Two stages: the first has the tools to install, the second only what runs.
# torch comes as the wheels that carry CUDA, so one image serves GPU and CPU; it is about 6 GB for that.
FROM python:3.11-slim-bookworm AS build

ENV UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/easel/.venv

RUN pip install --no-cache-dir uv==0.13.9

WORKDIR /opt/easel/source
COPY pyproject.toml README.md LICENSE ./
# The libraries alone: this step and its layer below are kept when only our code changes.
# There is no lock file; `exclude-newer` in pyproject.toml holds the versions still.
RUN uv sync --no-default-groups --extra worker --extra hosts --no-install-project
COPY bot bot
COPY config config
COPY pipeline pipeline
COPY playground playground
COPY provenance provenance
COPY models models
RUN uv build --wheel --out-dir /opt/easel/wheel

FROM python:3.11-slim-bookworm

RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin easel \
    && install --directory --owner=easel --group=easel /data /models

COPY --from=build /opt/easel/.venv /opt/easel/.venv
RUN --mount=type=bind,from=build,source=/opt/easel/wheel,target=/tmp/wheel \
    pip --python /opt/easel/.venv/bin/python install --no-cache-dir --no-index --no-deps /tmp/wheel/*.whl

# Code and libraries belong to root, and the root file system may be read-only: whatever is written lies below
# /data (HOME takes the caches of CUDA, Triton and the model hub with it), and /tmp may be a tmpfs.
# PYTHONSAFEPATH: a file that comes to lie in /data is never imported in place of ours.
ENV PATH=/opt/easel/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1 \
    HOME=/data \
    HF_HOME=/data/models \
    EASEL_STORAGE__DIRECTORY=/data

USER 10001
WORKDIR /data
VOLUME ["/data", "/models"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["easel", "health"]
ENTRYPOINT ["easel"]
CMD ["run"]

# Three images from one file, each with what runs and nothing else (decision 28):
#   docker build --target bot .    without torch, for a bot whose drawing is done elsewhere
#   docker build --target cpu .    draws on a processor
#   docker build .                 draws on an NVIDIA GPU; torch comes as the wheels that carry CUDA, which takes 6 GB
FROM python:3.11-slim-bookworm AS tools

ENV UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/easel/.venv \
    VIRTUAL_ENV=/opt/easel/.venv

RUN pip install --no-cache-dir uv==0.13.9

WORKDIR /opt/easel/source
COPY pyproject.toml README.md LICENSE ./

FROM tools AS wheel
COPY bot bot
COPY config config
COPY pipeline pipeline
COPY playground playground
COPY provenance provenance
COPY models models
RUN uv build --wheel --out-dir /opt/easel/wheel

# c2pa-python brings a library for linking, which nothing here links: 31 MB.
# The libraries alone: these steps and their layers below are kept when only our code changes.
# There is no lock file; `exclude-newer` in pyproject.toml holds the versions still.
FROM tools AS bot-packages
RUN uv sync --no-default-groups --extra hosts --no-install-project \
    && find /opt/easel/.venv -name "libc2pa_c.rlib" -delete

FROM tools AS cpu-packages
# PyTorch's own index, which alone has wheels without CUDA, does not say when a file came; its two packages are exempt.
RUN uv venv /opt/easel/.venv \
    && uv pip install --torch-backend cpu --exclude-newer-package torch=false --exclude-newer-package torchvision=false \
       --requirements pyproject.toml --extra worker --extra hosts --extra openvino --extra gguf \
    && find /opt/easel/.venv -name "libc2pa_c.rlib" -delete

FROM tools AS cuda-packages
RUN uv sync --no-default-groups --extra worker --extra hosts --extra gguf --no-install-project \
    && find /opt/easel/.venv -name "libc2pa_c.rlib" -delete

FROM python:3.11-slim-bookworm AS base

RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin easel \
    && install --directory --owner=easel --group=easel /data /data/models /models

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

WORKDIR /data
VOLUME ["/data", "/models"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["easel", "health"]
ENTRYPOINT ["easel"]
CMD ["run"]

FROM base AS bot
COPY --from=bot-packages /opt/easel/.venv /opt/easel/.venv
RUN --mount=type=bind,from=wheel,source=/opt/easel/wheel,target=/tmp/wheel \
    pip --python /opt/easel/.venv/bin/python install --no-cache-dir --no-index --no-deps /tmp/wheel/*.whl
USER 10001

FROM base AS cpu
COPY --from=cpu-packages /opt/easel/.venv /opt/easel/.venv
RUN --mount=type=bind,from=wheel,source=/opt/easel/wheel,target=/tmp/wheel \
    pip --python /opt/easel/.venv/bin/python install --no-cache-dir --no-index --no-deps /tmp/wheel/*.whl
USER 10001

# The last one is built where no target is named.
FROM base AS cuda
COPY --from=cuda-packages /opt/easel/.venv /opt/easel/.venv
RUN --mount=type=bind,from=wheel,source=/opt/easel/wheel,target=/tmp/wheel \
    pip --python /opt/easel/.venv/bin/python install --no-cache-dir --no-index --no-deps /tmp/wheel/*.whl
USER 10001

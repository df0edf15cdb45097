# Two stages: the first has the tools to install, the second only what runs.
# torch comes as the wheels that carry CUDA, so one image serves GPU and CPU.
FROM python:3.11-slim-bookworm AS build

ENV UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/easel/.venv

RUN pip install --no-cache-dir uv==0.13.9

WORKDIR /opt/easel
COPY pyproject.toml README.md LICENSE ./
# The libraries change rarely: their layer is kept when only our code changes.
RUN uv sync --no-default-groups --no-install-project
COPY bot bot
COPY config config
COPY pipeline pipeline
COPY playground playground
COPY models models
RUN uv sync --no-default-groups

FROM python:3.11-slim-bookworm

RUN useradd --uid 10001 --create-home --home-dir /data easel \
    && mkdir -p /models \
    && chown easel:easel /data /models

COPY --from=build /opt/easel /opt/easel

# The root file system may be read-only: everything is written below /data, and /tmp may be a tmpfs.
ENV PATH=/opt/easel/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    HF_HOME=/data/models \
    EASEL_STORAGE__DIRECTORY=/data

USER 10001
WORKDIR /data
VOLUME ["/data", "/models"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["easel", "doctor", "--quick"]
ENTRYPOINT ["easel"]
CMD ["run"]

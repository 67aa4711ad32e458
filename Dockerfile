# One image for every process: `profuse gateway`, `matcher`, `launcher`, `hooks`, `console`, `migrate`.
ARG BASE=python:3.13-slim

FROM ${BASE} AS builder
WORKDIR /build
RUN python3 -m venv tools && python3 -m venv --without-pip /opt/profuse
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# Dependencies first: they change less often than the code.
COPY requirements-build.lock requirements-runtime.lock requirements-traces.lock ./
RUN tools/bin/pip install --require-hashes --requirement requirements-build.lock
RUN tools/bin/pip --python /opt/profuse/bin/python install --require-hashes --only-binary :all: --requirement requirements-runtime.lock

# With --build-arg TRACES=1 it can tell its traces, see docs/traces.md.
ARG TRACES=
RUN test -z "$TRACES" || tools/bin/pip --python /opt/profuse/bin/python install --require-hashes --only-binary :all: --requirement requirements-traces.lock

COPY . .
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && tools/bin/pip --python /opt/profuse/bin/python install --no-deps dist/*.whl

FROM ${BASE}
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin profuse
COPY --from=builder /opt/profuse /opt/profuse
ENV PATH=/opt/profuse/bin:$PATH PYTHONUNBUFFERED=1 PROFUSE_HOST=0.0.0.0
USER 10001
EXPOSE 8080 8090 9090
ENTRYPOINT ["profuse"]
CMD ["gateway"]

# syntax=docker/dockerfile:1
# The service in one image: dependencies by the lock file with hashes, our code on top, no compiler, no root.

FROM python:3.11.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/lodestone
COPY requirements.lock ./
RUN /opt/lodestone/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY events events
COPY projections projections
COPY services services
COPY migrations migrations
COPY examples examples
RUN /opt/lodestone/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11.11-slim-bookworm
RUN groupadd --gid 10001 lodestone \
    && useradd --uid 10001 --gid lodestone --home-dir /var/lib/lodestone --create-home --shell /usr/sbin/nologin lodestone
COPY --from=build /opt/lodestone /opt/lodestone
ENV PATH=/opt/lodestone/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LODESTONE_HOST=0.0.0.0 \
    LODESTONE_PORT=8600 \
    LODESTONE_DATA_DIR=/var/lib/lodestone
USER lodestone
WORKDIR /var/lib/lodestone
VOLUME /var/lib/lodestone
EXPOSE 8600
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8600/healthz', timeout=2)"]
ENTRYPOINT ["lodestone"]
CMD ["serve"]

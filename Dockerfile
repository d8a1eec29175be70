# The daemon in a container: no installer at run time, no root, nothing written outside /data.
# Its root file system may be read-only. Mount the configuration at /etc/costcompass/config.toml.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements.lock ./
RUN python3 -m venv /opt/costcompass \
 && /opt/costcompass/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: -r requirements.lock
COPY bot /opt/costcompass/app/bot
COPY costcompass_core /opt/costcompass/app/costcompass_core
COPY LICENSE /opt/costcompass/app/
# What an installer would make of pyproject.toml, without downloading one: an import path and a command.
RUN echo /opt/costcompass/app > "$(/opt/costcompass/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/app.pth" \
 && printf '%s\n' '#!/opt/costcompass/bin/python -P' \
      'import sys' 'from bot.__main__ import main' 'sys.exit(main())' > /opt/costcompass/bin/costcompass \
 && chmod 0755 /opt/costcompass/bin/costcompass \
 && chmod -R a+rX /opt/costcompass/app \
 && /opt/costcompass/bin/python -m compileall -q /opt/costcompass/app

FROM ${PYTHON_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="CostCompass" \
      org.opencontainers.image.description="Tells you in Slack which model spends your balance, how fast, and when it runs dry." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/costcompass /opt/costcompass
RUN install -d -m 0700 -o 10001 -g 10001 /data
ENV PATH=/opt/costcompass/bin:$PATH \
    HOME=/data \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    COSTCOMPASS_STATE_DIR=/data
VOLUME /data
WORKDIR /data
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=30s CMD ["costcompass", "healthcheck"]
ENTRYPOINT ["costcompass"]
CMD ["run"]

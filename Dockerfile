# Lockstep's web, command line, paper bridge, feeds and advisor. Web is the default; the bridge is
# `python -m bridge --broker paper`, feeds `python -m feeds`, the advisor `python -m advisor` (tables; LightGBM is not in it).
FROM node:22-bookworm-slim AS vendor

WORKDIR /vendor
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev \
    && install -d static/vendor \
    && cp node_modules/lightweight-charts/LICENSE static/vendor/lightweight-charts.LICENSE \
    && cp node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs static/vendor/lightweight-charts.js

FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    SQLITE_PATH=/data/lockstep.sqlite \
    BRIDGE_LEDGER_PATH=/data/bridge.sqlite \
    FEEDS_PATH=/data/feeds.sqlite \
    ADVISOR_PATH=/data/advisor.sqlite \
    MODELS_PATH=/data/models

RUN groupadd --system --gid 10001 lockstep \
    && useradd --system --uid 10001 --gid lockstep --home-dir /data --no-create-home --shell /usr/sbin/nologin lockstep \
    && install -d -o lockstep -g lockstep -m 0700 /data

WORKDIR /app

COPY requirements-locked.txt ./
RUN pip install --compile --require-hashes -r requirements-locked.txt

COPY app.py cli.py gunicorn.conf.py .flaskenv ./
COPY wire ./wire
COPY serving ./serving
COPY services ./services
COPY tape ./tape
COPY routes ./routes
COPY bridge ./bridge
COPY sidecar ./sidecar
COPY feeds ./feeds
COPY advisor ./advisor
COPY templates ./templates
COPY static ./static
COPY tradingview ./tradingview
COPY firms ./firms
COPY --from=vendor /vendor/static/vendor ./static/vendor
RUN python -m compileall -q .

# Everything above belongs to root and is only read: the container runs with a read-only root, /data and a /tmp.
USER lockstep
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD python -m services.ops.alive "http://127.0.0.1:$PORT/healthz"

CMD ["gunicorn", "app:app"]

# An image that serves the models in models/: docs/serve.md; `make wheel` makes dist/
FROM python:3.11-slim-bookworm
WORKDIR /app
COPY requirements/serve.txt requirements/serve.txt
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/serve.txt
COPY dist dist
RUN pip install --no-cache-dir --no-deps dist/*.whl
COPY models models
RUN useradd --system textclf
USER textclf
EXPOSE 8000
# http.client, unlike urllib, asks no proxy.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "-c", "import http.client as h; \
  c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/health'); exit(c.getresponse().status != 200)"]
CMD ["textclf", "serve", "--host", "0.0.0.0", "--port", "8000"]

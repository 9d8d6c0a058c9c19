"""A service that pulls the version in production when it starts, and answers predictions with exactly those bytes.

    python examples/serve.py [SPEC] [PORT]

It asks the registry once, at its start: a later promotion is taken up by the next start, and a registry that cannot be
reached meanwhile changes nothing. GET /health names the version; POST /predict takes rows as JSON.

    curl -d '[[17.9, 10.4, …]]' http://127.0.0.1:8080/predict
"""

import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import joblib

import objreg

ADDRESS = "127.0.0.1"
LARGEST_BODY = 1_000_000


class Model:
    """One pulled version."""

    def __init__(self, spec: str) -> None:
        registry = objreg.open()
        self.version = registry.resolve(spec)
        self._classifier = joblib.load(registry.pull(self.version) / "model.joblib")

    def health(self) -> dict[str, Any]:
        """Say what is served, so that a monitor can compare it with the registry."""
        return {"status": "ok", "version": self.version.spec, "digest": self.version.digest}

    def predict(self, rows: list[list[float]]) -> dict[str, Any]:
        """Return the probabilities of each class for each row."""
        return {"version": self.version.spec, "probabilities": self._classifier.predict_proba(rows).tolist()}


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP; knows nothing of models."""

    model: Model

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(HTTPStatus.OK, self.model.health())
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "GET /health, or POST /predict"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/predict" or length > LARGEST_BODY:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": f"POST /predict with at most {LARGEST_BODY} bytes"})
            return
        try:
            answer = self.model.predict(json.loads(self.rfile.read(length)))
        except (TypeError, ValueError) as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, answer)

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(spec: str = "medical/tumor@production", port: str = "8080") -> None:
    """Load first, listen afterwards: a port that answers has a model behind it."""
    Handler.model = Model(spec)
    with ThreadingHTTPServer((ADDRESS, int(port)), Handler) as server:
        print(f"{Handler.model.version.spec} at http://{ADDRESS}:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:3])

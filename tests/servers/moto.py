"""moto: S3 in this process, the quickest to start."""

import logging
import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from tests.servers.server import S3Server

__all__ = ["Moto"]


class Moto(S3Server):
    name = "moto"
    checks_credentials = False

    def start(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request, otherwise
        application = _one_write_at_a_time(DomainDispatcherApplication(create_backend_app))
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.port}"

    def stop(self) -> None:
        if hasattr(self, "_server"):
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        super().stop()


def _one_write_at_a_time(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Make moto's conditional write the atomic step that it is on S3: moto looks and stores in two, without a lock."""
    lock = threading.Lock()

    def serialised(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return application(environ, start_response)
        # A body comes at its client's pace, so it is read outside the lock.
        if length := environ.get("CONTENT_LENGTH"):
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))
        with lock:
            return application(environ, start_response)

    return serialised

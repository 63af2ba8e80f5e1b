"""A stand-in for Google Cloud: it knows one cluster, and whose tokens it exchanges for what."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl


class Google:
    """Exchanges tokens at /v1/token and describes clusters; `claims` are those of what was given.

    `users` maps the subject of a token to the one that it is exchanged for.
    """

    def __init__(self):
        google = self
        self.claims = []
        self.users = {}
        self.clusters = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(google._exchange(dict(parse_qsl(text))))

            def do_GET(self):
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                known = token in google.users.values()
                self._answer(google.clusters.get(self.path) if known else None)

            def log_message(self, *_):
                pass

            def _answer(self, body):
                content = json.dumps(body or {"error": {"message": "not found"}}).encode()
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self):
        """Variables that lead here."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": url for name in ("STS", "CONTAINER")}

    def _exchange(self, form):
        body = form["subject_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        self.claims.append(claims)
        token = self.users.get(claims["sub"])
        if token is None or claims["aud"] != [form["audience"]]:
            return None
        return {"access_token": token, "expires_in": 3600}

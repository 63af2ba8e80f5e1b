"""Stand-ins for services of clouds: Google's tokens and clusters, Azure's machines."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl


class CloudServices:
    """Exchanges tokens of accounts, describes clusters, and gives machines a token.

    `users` maps the subject of a token to the one that it is exchanged for, `claims` are those of
    what was given. `clusters` are by path. `machine` is the token of every machine.
    """

    def __init__(self):
        services = self
        self.machine = "machine"
        self.claims = []
        self.users = {}
        self.clusters = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(services._exchange(dict(parse_qsl(text))))

            def do_GET(self):
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                if self.headers.get("Metadata") == "true":
                    self._answer({"access_token": services.machine, "expires_in": "3600"})
                else:
                    known = token in services.users.values()
                    self._answer(services.clusters.get(self.path) if known else None)

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
        return {
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": url,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER": url,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS": url,
        }

    def _exchange(self, form):
        body = form["subject_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        self.claims.append(claims)
        token = self.users.get(claims["sub"])
        if token is None or claims["aud"] != [form["audience"]]:
            return None
        return {"access_token": token, "expires_in": 3600}

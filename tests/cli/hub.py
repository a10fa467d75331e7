"""A Hub of our own on this machine: the few endpoints that an upload uses, and what has been uploaded to it."""

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_notARealTokenOfAnybody"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server has been told.

    Attributes:
        address: where it listens.
        repositories: name -> what it was made with.
        commits: repository -> path -> content, of the last commit.
        large: SHA-256 -> content, of what went the way of large files.
        requests: every method and path, in order.
        status: answered to whoever wants to write; 200 accepts.
    """

    address: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    status: int = 200


@contextlib.contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    handler = type("HubHandler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.hub.requests.append(f"GET {self.path}")
        self.answer(404, {"error": "nothing to be read here"})

    def do_PUT(self) -> None:
        self.hub.requests.append("PUT large file")
        self.hub.large[self.path.rpartition("/")[2]] = self.body()
        self.answer(200, {})

    def do_POST(self) -> None:
        self.hub.requests.append(f"POST {self.path}")
        body = self.body()
        path = self.path.removeprefix("/api").removeprefix("/models")
        if path == "/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, {"error": f"not accepted: {self.headers.get('Authorization')}"})
        elif self.hub.status != 200:
            self.answer(self.hub.status, {"error": f"refused to {TOKEN}"})
        elif path == "/repos/create":
            self.create(json.loads(body))
        elif path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            modes = [{"path": file["path"], "uploadMode": self.mode(file["path"]), "shouldIgnore": False} for file in files]  # fmt: skip
            self.answer(200, {"files": modes})
        elif path.endswith("/info/lfs/objects/batch"):
            self.answer(200, self.large_files(json.loads(body)["objects"]))
        elif path.endswith("/commit/main"):
            self.commit(path.removesuffix("/commit/main").strip("/"), body)
        else:
            self.answer(404, {"error": f"no {path} here"})

    def mode(self, path: str) -> str:
        return "lfs" if path.endswith(".safetensors") else "regular"

    def create(self, wanted: dict[str, Any]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        url = {"url": f"{self.hub.address}/{name}"}
        if name in self.hub.repositories:
            self.answer(409, {"error": "exists", **url})
            return
        self.hub.repositories[name] = wanted
        self.answer(200, url)

    def large_files(self, objects: list[dict[str, Any]]) -> dict[str, Any]:
        def actions(oid: str) -> dict[str, Any]:
            return {"upload": {"href": f"{self.hub.address}/large/{oid}", "header": {}}}

        return {"transfer": "basic", "objects": [{**found, "actions": actions(found["oid"])} for found in objects]}

    def commit(self, repository: str, body: bytes) -> None:
        files: dict[str, bytes] = {}
        for line in body.decode().splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
        self.hub.commits[repository] = files
        self.answer(200, {"commitUrl": f"{self.hub.address}/{repository}/commit/{COMMIT}", "commitOid": COMMIT, "success": True})  # fmt: skip

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

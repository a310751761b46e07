"""The style sheet, script, fonts and icon, kept in memory and served under a name that changes with their content."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from gateway.web.identity import Identity

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
_SQUEEZED: Final = frozenset({".css", ".js", ".svg"})


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    squeezed: bytes | None
    content_type: str


class Assets:
    """Everything a page loads besides its HTML. One fingerprint for all: a release or a new colour changes it."""

    def __init__(self, identity: Identity) -> None:
        bodies = {
            path.relative_to(_FOLDER).as_posix(): path.read_bytes()
            for path in sorted(_FOLDER.rglob("*"))
            if path.suffix in _TYPES
        }
        bodies["mizan.css"] += identity.colours.tokens().encode()
        bodies["icon.svg"] = identity.crest.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).encode()
        digest = hashlib.sha256()
        for name, body in bodies.items():
            digest.update(name.encode() + body)
        self.root = f"/static/{digest.hexdigest()[:12]}"
        self._assets = {
            name: Asset(
                body,
                gzip.compress(body, mtime=0) if Path(name).suffix in _SQUEEZED else None,
                _TYPES[Path(name).suffix],
            )
            for name, body in bodies.items()
        }

    def get(self, name: str) -> Asset | None:
        return self._assets.get(name)

    def size(self, name: str) -> int:
        """Return what the asset weighs on the wire."""
        asset = self._assets[name]
        return len(asset.squeezed or asset.body)

    async def serve(self, request: web.Request) -> web.Response:
        """Answer `/static/<fingerprint>/<name>`; an old fingerprint still gets today's file, but not for ever."""
        asset = self.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        current = request.path.startswith(self.root + "/")
        headers = {
            "Content-Type": asset.content_type,
            "Cache-Control": "public, max-age=31536000, immutable" if current else "public, max-age=60",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Vary": "Accept-Encoding",
        }
        body = asset.body
        if asset.squeezed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = asset.squeezed
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/static/{fingerprint}/{name:.+}", self.serve)

"""
The page's own files, which stay in a browser's cache until one of them changes.

Their addresses hold a digest of all of them. So a page that was open once asks for nothing but figures, and no browser
mixes the files of two releases.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parent / "static"
FILES = {path.name: path for path in sorted(STATIC.iterdir()) if path.suffix in (".css", ".js", ".json")}
VERSION = sha256(b"".join(path.read_bytes() for path in FILES.values())).hexdigest()[:12]


def page() -> str:
    """The page without figures; its modules are fetched all at once, not as one of them names the next."""
    modules = [name for name in FILES if name.endswith(".js") and ".min." not in name]
    links = "".join(f'    <link rel="modulepreload" href="static/{name}">\n' for name in modules)
    text = (STATIC / "index.html").read_text(encoding="utf-8").replace("  </head>", f"{links}  </head>")
    return text.replace('"static/', f'"static/{VERSION}/')

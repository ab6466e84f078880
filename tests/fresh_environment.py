"""Virtual environments of their own, made by the project's uv."""

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def uv(command: str, *arguments: str | Path) -> None:
    """Run uv."""
    subprocess.run([BIN / "uv", command, "-q", "--system-certs", *arguments], check=True)

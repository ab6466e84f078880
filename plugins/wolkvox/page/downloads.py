"""Files that leave the page, sent piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO

from fastapi.responses import StreamingResponse

PIECE = 2**16  # bytes given to the client at once


def attachment(file: IO[bytes], name: str, kind: str) -> StreamingResponse:
    """A file to be kept, sent piece by piece."""
    length = file.tell()
    file.seek(0)

    async def pieces() -> AsyncIterator[bytes]:
        with file:
            while piece := file.read(PIECE):
                yield piece

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(length)}
    return StreamingResponse(pieces(), media_type=kind, headers=headers)

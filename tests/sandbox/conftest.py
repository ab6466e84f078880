from collections.abc import Iterator

import pytest
from sandbox_server import SandboxServer


@pytest.fixture(scope="module")
def _server() -> Iterator[SandboxServer]:
    with SandboxServer(latency=0.0) as server:
        yield server


@pytest.fixture
def sandbox(_server: SandboxServer) -> SandboxServer:
    """A sandbox without a past, shared by the tests of a module."""
    _server.reset()
    return _server

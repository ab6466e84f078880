"""Servers of Debian's are installed when somebody says so, and what is left out without them is said."""

from __future__ import annotations

import os
import shutil

import pytest
from debian import INSTALL, installed, left_out, may_install, program


@pytest.fixture
def as_root_on_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """However this runs."""
    which = shutil.which
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name, **more: name if name == "apt-get" else which(name, **more))


@pytest.mark.usefixtures("as_root_on_debian")
@pytest.mark.parametrize(("said", "may"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_packages_are_installed_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, said: str | None, may: bool
) -> None:
    monkeypatch.delenv(INSTALL, raising=False)
    if said is not None:
        monkeypatch.setenv(INSTALL, said)
    assert may_install() is may


def test_nobody_but_root_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INSTALL, "1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not may_install()


def test_a_missing_server_skips_its_test_and_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INSTALL, raising=False)
    monkeypatch.setattr("subprocess.run", lambda *command, **more: pytest.fail(f"ran {command}"))
    assert installed("no-such-server", "some-package") is None
    with pytest.raises(pytest.skip.Exception, match=r"^needs no-such-server: apt-get install some-package$"):
        program("no-such-server", "some-package")


def test_the_end_of_a_run_says_what_was_left_out_and_how_it_is_not() -> None:
    nginx = "Skipped: needs nginx: apt-get install nginx-light"
    squid = "Skipped: needs squid: apt-get install squid"
    assert left_out([nginx, "Skipped: another reason", squid, nginx]) == [
        "3 tests were left out for want of nginx, squid.",
        "`INSTALL_TEST_SERVERS=1 make test`, as root on Debian, installs what they need with apt-get.",
    ]
    assert left_out(["Skipped: another reason"]) == []

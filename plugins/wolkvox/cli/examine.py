"""``python -m wolkvox examine``: the dialogue around the requests that show how an operation's wolkvox behaves."""

from __future__ import annotations

import json
import os
import socket
import sys
from argparse import Namespace
from getpass import getpass
from uuid import uuid4

from wolkvox.errors import WolkvoxError
from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.leases import Owner
from wolkvox.rules.ids import read_id
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.stop import Stop
from wolkvox.tasks.examine import MOST_REQUESTS, Examination, Subject
from wolkvox.tasks.task import Task

LEASE_TIMEOUT = 120.0  # seconds
STEP = 30.0  # seconds between two lines while it waits


def run(arguments: Namespace) -> int | str:
    """Ask whom to codify and whether to begin; print each observation and the settings that follow.

    Returns 0, 1 when an observation is wrong, or why nothing could be observed.
    """
    print(
        f"This codifies one customer of campaign {arguments.type_campaign} {arguments.campaign_id} with the code"
        f" {arguments.cod_act}, for good, and asks wolkvox what it shows before and after: at most {MOST_REQUESTS}"
        " of the day's requests. Choose a customer whom the dialler has dialled, and who is to be left alone.",
        flush=True,
    )
    # Typed, or from a pipe: a command line stays in a shell's history.
    typed = getpass("The customer's id (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    customer_id = read_id(typed)
    if customer_id is None:
        return "No customer was named: nothing was asked."
    if not arguments.yes and input("Begin? [y/N] ").strip().lower() not in ("y", "yes", "s", "si", "sí"):
        return "Nothing was asked."
    subject = Subject(arguments.type_campaign, arguments.campaign_id, customer_id, arguments.cod_act)
    owner = Owner("examine", f"{socket.gethostname()} {os.getpid()} {uuid4().hex[:8]}", "examine", -1, 1)
    stop = Stop()
    task = Task("wolkvox_ledger", owner, stop, LEASE_TIMEOUT, RetryPolicy())
    failed = 0
    try:
        with WolkvoxHook(arguments.conn_id) as wolkvox:
            examine = Examination(task, wolkvox, subject, lambda: _wait(stop, arguments.seconds))
            for seen in examine.observe():
                print(f"{'ok  ' if seen.ok else 'FAIL'} {seen.name:10} {seen.message}", flush=True)
                failed += not seen.ok
    except WolkvoxError as error:
        return str(error)
    except KeyboardInterrupt:
        return "\nInterrupted: what is printed above has happened."
    print(f"\nIn the extra of connection {arguments.conn_id!r}, by what was seen:\n{json.dumps(examine.settings)}")
    return min(failed, 1)


def _wait(stop: Stop, seconds: float) -> bool:
    """Wait, and print now and then for how long; False when the command is to stop."""
    left = seconds
    while left > 0:
        print(f"     {left:4.0f} s until wolkvox may be asked again", flush=True)
        if stop.wait(min(STEP, left)):
            return False
        left -= STEP
    return True

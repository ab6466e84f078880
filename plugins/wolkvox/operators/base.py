"""What the operators share: the connection to wolkvox, the ledger's, a stop, and how a task fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from wolkvox.errors import BadSetting, BadToken, BreakerOpen, NoFreeSlot, Unaccounted, WrongEndpoint
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.stop import Stop

if TYPE_CHECKING:
    from airflow.sdk import Context

    from wolkvox.hook import WolkvoxHook
    from wolkvox.tasks.task import Task

# Errors that a retry of the task doesn't mend: somebody has to change a connection or a param first, or the next run
# tries by itself. A task that waits for its retry would keep that run from starting.
NOT_RETRIED = (BadSetting, BadToken, WrongEndpoint, BreakerOpen, NoFreeSlot)

LEASE_TIMEOUT = 600.0  # seconds a task waits for a free slot before it says who holds them


class WolkvoxOperator(BaseOperator):
    """
    The base of the tasks that need wolkvox or its connection.

    :param wolkvox_conn_id: connection that holds the address and the token
    :param operation: name under which the ledger keeps the DAG's contacts, the same for all its tasks; None: the
        server's, as the connection says it
    :param ledger_conn_id: PostgreSQL connection of the ledger
    :param lease_timeout: seconds to wait for a slot of the token
    :param request_retries: how often, how long and how far apart a record is tried again
    :param timezone: the operation's zone: of a ``contacted_at`` or a param that carries none, and of the dates in
        exports where the connection names no other one
    """

    done: int | None = None  # records that were written, for OpenLineage; None: not yet

    def __init__(
        self,
        *,
        wolkvox_conn_id: str = "wolkvox_default",
        operation: str | None = None,
        ledger_conn_id: str = "wolkvox_ledger",
        lease_timeout: float = LEASE_TIMEOUT,
        request_retries: RetryPolicy | None = None,
        timezone: str = "America/Bogota",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wolkvox_conn_id = wolkvox_conn_id
        self.operation = operation
        self.ledger_conn_id = ledger_conn_id
        self.lease_timeout = lease_timeout
        self.request_retries = request_retries
        self.timezone = timezone

    @cached_property
    def stop(self) -> Stop:
        """Set when the task is to end after the request in flight."""
        return Stop()

    def on_kill(self) -> None:
        """End after the request in flight: marked failed in the UI, or the worker is being shut down."""
        self.stop.set()  # and nothing else: a signal handler that logs may wait for a lock its own thread holds

    def wolkvox(self) -> WolkvoxHook:
        """The hook of the task's connection and operation."""
        from wolkvox.hook import WolkvoxHook

        return WolkvoxHook(self.wolkvox_conn_id, self.operation, self.timezone)

    def _task(self, context: Context) -> Task:
        """The task instance, as the functions in ``tasks`` take it."""
        from wolkvox.ledger.leases import Owner
        from wolkvox.tasks.task import Task

        self.stop  # noqa: B018 - made before a signal may ask for it
        ti = context["ti"]
        map_index = -1 if ti.map_index is None else ti.map_index
        owner = Owner(ti.dag_id, ti.run_id, ti.task_id, map_index, ti.try_number)
        return Task(self.ledger_conn_id, owner, self.stop, self.lease_timeout, self.request_retries or RetryPolicy())


@contextmanager
def failing_for_good() -> Iterator[None]:
    """Fail the task without a retry where a retry would mend nothing; any other error passes as it is."""
    try:
        yield
    except NOT_RETRIED as error:
        fail(error)


def fail(error: Exception) -> NoReturn:
    """Fail the task without a retry."""
    raise AirflowFailException(str(error)) from error


def fail_with(context: Context, summary: Mapping[str, Any], complaint: str) -> NoReturn:
    """Fail the task without a retry, its summary kept in XCom as if it had returned it."""
    context["ti"].xcom_push(key="return_value", value=summary)
    fail(Unaccounted(complaint))

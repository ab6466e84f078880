"""The checks of what a DAG's runs need of Airflow: the pool, and the trigger that begins them."""

from __future__ import annotations

from wolkvox.airflow_core.dag_files import slots_of
from wolkvox.airflow_core.dags import is_paused
from wolkvox.cli.pools import pools_of
from wolkvox.dag.schedule import polls_warehouse, schedule_of
from wolkvox.errors import BadSetting, WolkvoxError
from wolkvox.ledger.connection import connected
from wolkvox.ledger.watch import read_watch
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.chunks import SLOTS
from wolkvox.rules.wake import Watch, is_unwatched

SHARED_POOL = "default_pool"


def check_pool(stage: WolkvoxStageOperator) -> str:
    """The pools of the DAG's codify tasks.

    :raises BadSetting: when one is missing, is Airflow's own, or hasn't two slots
    """
    dag = stage.get_dag()
    assert dag is not None
    names = pools_of(dag)
    for name in names:
        slots = slots_of(name)
        if slots is None:
            raise BadSetting(f"There is no pool {name!r}: make it with `python -m wolkvox pools`.")
        if name == SHARED_POOL or slots != SLOTS:
            raise BadSetting(
                f"codify runs in the pool {name!r} of {slots} slots: give it one of its own with {SLOTS}, the vendor's"
                " limit of requests at a time."
            )
    return f"{', '.join(sorted(names))}: {SLOTS} slots"


def check_polls(stage: WolkvoxStageOperator) -> str:
    """How often the DAG's trigger polls for work.

    :raises WolkvoxError: when no poll worked of late, or the last stage could not count the window's rows
    """
    dag = stage.get_dag()
    assert dag is not None
    wake = schedule_of(dag).wake
    if wake is None:
        return "no trigger: the schedule alone begins runs"
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        watch = read_watch(ledger, stage.dag_id).watch
    if is_paused(stage.dag_id) is not False:
        return f"polls for work every {wake:g} s once the DAG is unpaused"
    _refuse_silence(wake, watch)
    if stage.sql is None:
        return f"polls for work every {wake:g} s"
    if not polls_warehouse(dag):
        return (
            f"polls the ledger alone every {wake:g} s: no trigger has a query that it can ask the warehouse, for one"
            " with Jinja is asked by stage only. New contacts wait for the next run of the schedule."
        )
    _refuse_uncounted(watch)
    return f"polls for work every {wake:g} s"


def _refuse_silence(wake: float, watch: Watch) -> None:
    if not is_unwatched(wake, watch.polled_at, watch.now):
        return
    since = "ever" if watch.polled_at is None else f"since {watch.polled_at.isoformat(timespec='seconds')}"
    raise WolkvoxError(
        f"No poll for work has worked {since}: only the cron begins runs. See that `airflow triggerer` runs, that"
        " it can import wolkvox, and what its log says."
    )


def _refuse_uncounted(watch: Watch) -> None:
    if watch.staged_at is None or watch.staged is not None:
        return
    raise WolkvoxError(
        "The last stage could not count the window's rows, so that polls don't see new contacts: only the cron"
        " finds them. Its log says why; the query must be able to stand in brackets, and the count may take five"
        " seconds (give contacted_at an index)."
    )

"""What can go wrong, named for what the operator does about it."""


class WolkvoxError(Exception):
    """Base of every error this package raises."""


class BadSetting(WolkvoxError, ValueError):
    """A connection, a param or a window can't be used as it is: somebody has to change it."""


class BadToken(WolkvoxError):
    """wolkvox refused the token: no request can succeed until the connection is corrected."""


class WrongEndpoint(WolkvoxError):
    """What answers at the address isn't the wolkvox API: the host of the connection is wrong."""


class QuotaUsedUp(WolkvoxError):
    """The vendor says that the day's requests are used up: nothing is wrong, the rest waits for the next day."""


class GatewayGaveUp(WolkvoxError):
    """Something on the way gave up waiting: wolkvox may still be at the request, so its slot is still in flight."""


class BreakerOpen(WolkvoxError):
    """Too many requests in a row went wrong: the chunk stops, its records stay pending, a retry takes it up."""


class NoFreeSlot(WolkvoxError):
    """Both of the token's slots stayed taken for longer than a task may wait."""


class LedgerUnavailable(WolkvoxError):
    """PostgreSQL stayed out of reach for longer than a task may wait."""


class LedgerSlow(WolkvoxError):
    """PostgreSQL ended a query that took longer than it may."""


class Stopped(WolkvoxError):
    """The task had to stop (SIGTERM, marked failed): the rest of its chunk stays pending."""


class Unaccounted(WolkvoxError):
    """The run isn't green: too many records failed, or some are in no final state."""

"""Texts that are no customer's id: what programs made of one, and what stands for nobody. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date

from wolkvox.rules.values import UNSEEN, folded, text_of

NOTHING = frozenset(("nan", "nat", "null", "(null)", "\\n", "none", "nil", "undefined", "<na>", "inf", "-inf"))
_NO_CUSTOMER = NOTHING.union(
    ("na", "n/a", "n/d", "s/d", "infinity", "true", "false", "verdadero", "falso", "unknown", "anonymous"),
    ("desconocido", "desconocida", "anónimo", "anonimo", "ninguno", "sin dato", "sin datos", "no aplica"),
    ("error", "loading...", "loading…", "cargando...", "cargando…"),
)
# What a spreadsheet or a program made of a value: 1.02E+09, 1,02E+09, 1023456789.0, #DIV/0!, #¡REF!, Err:502, b'1001'.
_MANGLED = re.compile(
    r"[+-]?\d+([.,]\d*[eE][+-]?|[eE][+])\d+|[+-]?\d+[.,]0*|#.*[!?]|#[nN]/[aAdD]|#GETTING_DATA|#OBTENIENDO_DATOS|Err:\d{3}"
    r"|b'.*'|b\".*\"|\[object .*\]",
    re.DOTALL,
)
_NEGATIVE = re.compile(r"-\d+")  # the key of "nobody" in many a warehouse is -1
_MASK = re.compile("[*•]")  # ******6789

# A date, with a time or without: by its year first or last, or with a month's name, as spreadsheets write 11-28.
_TIME = r"(?:[T ]\d{1,2}:\d\d.*)?"
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<one>\d{1,2})(?P=mark)(?P<two>\d{1,2})" + _TIME, re.ASCII)
_YEAR_LAST = re.compile(r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4})" + _TIME, re.ASCII)
_NAMED_MONTH = re.compile(
    r"\d{1,2}[-/ .](?:ene(?:ro)?|jan(?:uary)?|feb(?:rero|ruary)?|mar(?:zo|ch)?|abr(?:il)?|apr(?:il)?|mayo?|"
    r"jun(?:io|e)?|jul(?:io|y)?|ago(?:sto)?|aug(?:ust)?|sept?(?:iembre|ember)?|oct(?:ubre|ober)?|nov(?:iembre|ember)?|"
    r"dic(?:iembre)?|dec(?:ember)?)\.?(?:[-/ .]\d{2,4})?" + _TIME,
    re.ASCII | re.IGNORECASE,
)
_YEARS = range(1900, 2101)
_WHOLE = re.compile(r"(\d+)[.,]0{1,2}", re.ASCII)  # not 1.000, which is a thousand to most of those who write it

# Of nobody, by their letters and digits alone. Two zeros or more. Nine or more of one digit, or eleven of 1, 2 and 3:
# 11.111.111-1 and 22.222.222-2 may be people's RUT in Chile, 1.111.111.111 a NUIP, 333 333 3333 a mobile in Colombia.
# No such number of nine digits as 123456789 was ever given to a person; 12345678 and 1234567890 may have been.
_REPEATED = re.compile(r"0{2,}|([4-9])\1{8,}|([1-3])\2{10,}|0?123456789|0?987654321|x{2,}", re.ASCII)
_LACKED = (
    "aplica|asigna(?:r|d[oa])|available|cc|cedula|clientes?|codigo|confirmar|conocid[oa]|curp|data|dato|defini(?:r|d[oa])|"
    "disponible|dni|doc|document|documento|dio|entrega|especifica(?:r|d[oa])|existe|hay|id|identidad|"
    "identifica(?:cion|r|d[oa])|identification|indica|info|informa(?:cion|d[oa])?|nit|nombre|number|num|numero|provided|"
    "registr(?:a|o|ar|ad[oa])|reporta(?:d[oa])?|rfc|ruc|run|rut|sabe|suministra(?:d[oa])?|tiene|valid[oa]?|verificar"
)
_LACKING = re.compile(rf"(?:sin|no|not|without)(?:{_LACKED})(?:de|del|el|la|{_LACKED})*s?")
_NOBODY = frozenset(
    (
        *("consumidorfinal", "clientefinal", "clientegenerico", "clientevarios", "clientesvarios", "clienteocasional"),
        *("clientemostrador", "mostrador", "publicogeneral", "publicoengeneral", "generico", "varios", "nadie"),
        *("ninguna", "indefinido", "indefinida", "pendiente", "poraplicar", "porasignar", "pordefinir"),
        *("porconfirmar", "porverificar", "prueba", "pruebas", "test", "dummy", "nobody", "tbd", "vacio", "empty"),
        *("xaxx010101000", "xexx010101000"),  # Mexico's tax office, for the public and for foreigners
    )
)


def read_id(value: object) -> str | None:
    """
    Return a customer's id, however it was written, to be compared with others; None when there is none.

    Besides what ``text_of`` does, marks that nobody sees are taken out, digits of other scripts become 0 to 9, and
    1023456789.0 its whole number. What is sent to wolkvox isn't read so kindly: it must stand in the row as it is.

    :raises ValueError: for a value that can't be an id
    """
    text = text_of(value)
    if text is None:
        return None
    if not text.isascii():
        text = "".join(_seen(character) for character in text)
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text or None


def _seen(character: str) -> str:
    if character in UNSEEN:
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def is_no_id(text: str) -> bool:
    """Whether a text can't be a customer's id."""
    return (
        text.lower() in _NO_CUSTOMER
        or _MANGLED.fullmatch(text) is not None
        or _NEGATIVE.fullmatch(text) is not None
        or _MASK.search(text) is not None
        or not any(map(str.isalnum, text))
        or any(character.isdigit() and not character.isascii() for character in text)
        or _is_date(text)
    )


def is_no_code(text: str) -> bool:
    """Whether a text can't be a disposition code."""
    return text.lower() in NOTHING or _MANGLED.fullmatch(text) is not None


def is_placeholder(text: str, more: Collection[str] = ()) -> bool:
    """
    Whether an id is written where a customer has none.

    :param more: an operation's own, ``folded``
    """
    if text.isdigit():  # as most are
        return text in more or _REPEATED.fullmatch(text) is not None
    plain = folded(text)
    return plain in more or plain in _NOBODY or any(form.fullmatch(plain) for form in (_REPEATED, _LACKING))


def _is_date(text: str) -> bool:
    """Whether a text is a day of the calendar, in whichever order: 31/12/2026 and 12/31/2026 both are."""
    if _NAMED_MONTH.fullmatch(text):
        return True
    match = _YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(text)
    if match is None or int(match["year"]) not in _YEARS:
        return False
    year, one, two = int(match["year"]), int(match["one"]), int(match["two"])
    return any(_exists(year, month, day) for month, day in ((one, two), (two, one)))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True

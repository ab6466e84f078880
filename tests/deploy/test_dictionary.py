"""The data dictionary is the ledger's own."""

from conftest import Database

from docs.dictionary import FILE, dictionary


def test_it_says_what_the_database_says(ledger: Database) -> None:
    assert dictionary(ledger.connection) == FILE.read_text(encoding="utf-8")


def test_no_table_and_no_column_goes_unexplained(ledger: Database) -> None:
    assert "None" not in dictionary(ledger.connection)

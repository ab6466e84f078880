"""How alerts reach people: recipients, e-mail, and what is remembered where the ledger can't be reached."""

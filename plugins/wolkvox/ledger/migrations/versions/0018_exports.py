"""
Ids are compared without what people and programs write around them, and what an export is left aside for is kept.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COMMENTS = {
    "FUNCTION wolkvox.alike": "what ids have in common that may be of the same customer",
    "FUNCTION wolkvox.plain_code": "a code without what is written in more than one way: capitals, zeros in front",
    "COLUMN wolkvox.export.left_aside": "why nothing was concluded from it before sending; null: something was",
    "COLUMN wolkvox.codification.not_before": "a pending record that went wrong is not sent before, nor one whose"
    " customer is not in the campaign (reason not_in_campaign)",
}
# Kinds of documents, as they are written before a number: CC 1.023.456.789, NIT900123456, RUT 12.345.678-5.
KINDS = "cc|ce|ti|rc|nit|nuip|pa|pas|pasaporte|pep|ppt|cedula|dni|rut|run|ruc|cuit|cuil|ci|id"


def upgrade() -> None:
    """Make a function and a column."""
    op.execute(
        f"""
        CREATE FUNCTION wolkvox.alike(customer_id text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT ltrim(
                regexp_replace(
                    regexp_replace(lower(customer_id), '[^[:alnum:]]+', '', 'g'), '^({KINDS})(?=[0-9])', ''
                ),
                '0'
            )
        $$
        """
    )
    op.execute(
        "CREATE FUNCTION wolkvox.plain_code(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE"
        " AS $$ SELECT regexp_replace(lower(code), '^0+(?=.)', '') $$"
    )
    op.execute("ALTER TABLE wolkvox.export ADD COLUMN left_aside text")
    for name, comment in COMMENTS.items():
        op.execute(f"COMMENT ON {name} IS '{comment}'")


def downgrade() -> None:
    """Drop them; strangers are sent, as contacts of any other customer."""
    op.execute("ALTER TABLE wolkvox.export DROP COLUMN left_aside")
    op.execute("DROP FUNCTION wolkvox.plain_code")
    op.execute("DROP FUNCTION wolkvox.alike")
    op.execute(
        "UPDATE wolkvox.codification SET reason = NULL, not_before = NULL"
        " WHERE state = 'pending' AND reason = 'not_in_campaign'"
    )
    op.execute(
        "COMMENT ON COLUMN wolkvox.codification.not_before IS 'a pending record that went wrong is not sent before'"
    )

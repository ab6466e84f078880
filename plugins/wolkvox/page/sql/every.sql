-- noqa: disable=PRS
-- Every record.
WITH record AS (
    SELECT *, NULL::timestamptz AS dialled_at, NULL::text AS breach
    FROM wolkvox.codification
)

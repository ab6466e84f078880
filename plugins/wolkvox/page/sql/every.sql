-- noqa: disable=PRS
-- Every record.
WITH record AS (
    SELECT * FROM wolkvox.codification
)

-- How far a table is, and how far it will be once it has what is there now.
SELECT
    coalesce(written.above, 0),
    coalesce(written.since, clock_timestamp()),
    (SELECT coalesce(max(id), 0) FROM wolkvox.codification),
    clock_timestamp() - %(overlap)s
FROM (SELECT) AS nothing
LEFT JOIN wolkvox.written ON written.operation = %(operation)s AND written.place = %(place)s

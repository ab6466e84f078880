-- Up to where a table has the results, and up to where it will have them after this time.
SELECT
    coalesce(export_cursor.above, 0),
    coalesce(export_cursor.since, clock_timestamp()),
    (SELECT coalesce(max(id), 0) FROM wolkvox.codification),
    clock_timestamp() - %(overlap)s
FROM (SELECT) AS nothing
LEFT JOIN wolkvox.export_cursor ON export_cursor.operation = %(operation)s AND export_cursor.place = %(place)s

INSERT INTO wolkvox.export_cursor (operation, place, above, since)
VALUES (%(operation)s, %(place)s, %(above)s, %(since)s)
ON CONFLICT (operation, place) DO UPDATE SET above = excluded.above, since = excluded.since

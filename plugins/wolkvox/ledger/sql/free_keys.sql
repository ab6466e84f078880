UPDATE wolkvox.codification AS record
SET contact_key = version.spare
FROM unnest(%(keys)s::uuid[], %(spare)s::uuid[]) AS version (key, spare)
WHERE record.contact_key = version.key

-- Changes a row when somebody is to be told: the condition is new, or was told of long ago.
INSERT INTO wolkvox.condition AS known (operation, dag_id, condition, words, since, told_at)
VALUES (%(operation)s, %(dag_id)s, %(name)s, %(words)s, now(), now())
ON CONFLICT (operation, dag_id, condition) DO UPDATE SET
    words = excluded.words,
    told_at = excluded.told_at
WHERE known.told_at <= now() - %(again)s

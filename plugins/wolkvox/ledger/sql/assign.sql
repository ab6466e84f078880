UPDATE wolkvox.codification AS record
SET state = 'pending',
    settled_at = NULL,
    dag_run_id = %(dag_run_id)s,
    chunk_id = cut.chunk_id,
    chunk_number = cut.number
FROM chosen
INNER JOIN unnest(
    %(types)s::text[], %(campaigns)s::text[], %(firsts)s::bigint[], %(ends)s::bigint[], %(chunk_ids)s::text[]
) WITH ORDINALITY AS cut (type_campaign, campaign_id, first, past, chunk_id, number)
    ON cut.type_campaign = chosen.type_campaign
    AND cut.campaign_id = chosen.campaign_id
    AND chosen.place >= cut.first
    AND chosen.place < cut.past
WHERE record.id = chosen.id

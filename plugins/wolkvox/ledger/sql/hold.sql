UPDATE wolkvox.codification
SET state = 'held',
    reason = %(reason)s,
    settled_at = now(),
    hold_id = %(hold)s
WHERE id > %(mark)s
    AND operation = %(operation)s
    AND dag_id = %(dag_id)s
    AND dag_run_id = %(dag_run_id)s
    AND state = 'pending'
    AND (type_campaign, campaign_id) IN (
        SELECT type_campaign, campaign_id
        FROM unnest(%(types)s::text[], %(campaigns)s::text[]) AS held (type_campaign, campaign_id)
    )

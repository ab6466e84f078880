SELECT
    span.starts_at,
    span.ends_at,
    record.type_campaign,
    record.campaign_id,
    record.state,
    record.reason,
    max(
        left(
            regexp_replace(
                replace(record.response_msg, coalesce(record.customer_id, ''), '•••'), '\d{5,}', '•••', 'g'
            ),
            300
        )
    ) FILTER (WHERE record.state IN ('rejected', 'failed')) AS message,
    count(*) AS records,
    max(record.settled_at) AS last_at
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (starts_at, ends_at)
CROSS JOIN LATERAL (
    SELECT *
    FROM wolkvox.codification AS record
    WHERE record.operation = %(operation)s AND record.settled_at >= span.starts_at AND record.settled_at < span.ends_at
    OFFSET 0 -- Span by span, each by the index: a free join reads a large ledger whole for two hours of it.
) AS record
GROUP BY span.starts_at, span.ends_at, record.type_campaign, record.campaign_id, record.state, record.reason

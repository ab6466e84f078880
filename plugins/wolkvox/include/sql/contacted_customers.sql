-- Customers reached outside the dialler in [window_start, window_end).
-- Point it at your own table or view; keep the column names and the two bound parameters.
-- If you have them, select two more as evidence: channel (whatsapp, sms, call, branch ...), direct (both sides spoke).
SELECT
    type_campaign,
    campaign_id,
    customer_id,
    cod_act,
    cod_act_2,
    comment,
    contacted_at
FROM contacted_customers
WHERE contacted_at >= :window_start
    AND contacted_at < :window_end

-- One day of contacts, from %(start)s on: 11,461 rows, of which 60 are there twice.
INSERT INTO contacted_customers
SELECT 'preview', '15501', (700000000 + n)::text, '10', NULL, 'Answered on WhatsApp', %(start)s + n * interval '8 seconds'
FROM generate_series(1, 10001) AS n
UNION ALL
SELECT 'predictive', '15502', lpad(n::text, 10, '0'), '20', '21', 'Paid at a branch', %(start)s + n * interval '90 seconds'
FROM generate_series(1, 900) AS n
UNION ALL  -- reached twice: the later contact counts
SELECT 'predictive', '15502', lpad(n::text, 10, '0'), '10', NULL, NULL, %(start)s + n * interval '1 second'
FROM generate_series(1, 200) AS n
UNION ALL  -- the same rows once more
SELECT 'predictive', '15502', lpad(n::text, 10, '0'), '20', '21', 'Paid at a branch', %(start)s + n * interval '90 seconds'
FROM generate_series(841, 900) AS n
UNION ALL  -- of these the sandbox refuses C7, C14, C21 … as unknown and C5, C20, C35 … for their code
SELECT 'preview', '15503', 'C' || n, '30', NULL, 'Called back by hand', %(start)s + n * interval '5 minutes'
FROM generate_series(1, 240) AS n
UNION ALL  -- what can't be sent
SELECT
    CASE WHEN n <= 15 THEN 'sms' ELSE 'preview' END,
    CASE WHEN n BETWEEN 16 AND 30 THEN '15503b' ELSE '15503' END,
    CASE WHEN n BETWEEN 31 AND 45 THEN NULL ELSE 'X' || n END,
    CASE WHEN n > 45 THEN '' ELSE '30' END,
    NULL,
    NULL,
    %(start)s + n * interval '1 minute'
FROM generate_series(1, 60) AS n

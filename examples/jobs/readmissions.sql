SELECT ward,
       COUNT(*) AS visits,
       100 * COUNT(*) FILTER (WHERE readmitted = 'yes') / COUNT(*) AS percent_readmitted
FROM data
WHERE admitted BETWEEN DATE '2026-01-01' AND DATE '2026-06-30'
GROUP BY ward

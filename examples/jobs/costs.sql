SELECT ward, COUNT(*) AS visits, AVG(cost) AS mean_cost
FROM data
WHERE age >= 16
GROUP BY ward
ORDER BY visits DESC

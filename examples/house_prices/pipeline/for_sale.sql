SELECT * EXCLUDE (price)
FROM houses
WHERE price IS NULL

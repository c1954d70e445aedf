-- Houses that ask for at least a tenth less than the estimate.
SELECT
  estimates.id,
  estimates.home_type,
  estimates.rooms,
  asking,
  round(prediction) AS estimate,
  round(100 * (1 - asking / prediction), 1) AS percent_below
FROM estimates
JOIN listings USING (id)
WHERE asking < 0.9 * prediction

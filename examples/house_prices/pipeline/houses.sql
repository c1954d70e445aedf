-- Sold and for sale, in the same form: what the model may know of a house.
WITH both_kinds AS (
  FROM sales
  UNION ALL BY NAME
  FROM listings
)
SELECT
  id,
  year,
  lot_area,
  lot_config,
  home_type,
  roof_style,
  foundation,
  basement_area,
  heating,
  central_air = 'Y' AS central_air,
  rooms,
  fireplaces,
  coalesce(garage, 'none') AS garage,
  coalesce(fence, 'none') AS fence,
  price
FROM both_kinds

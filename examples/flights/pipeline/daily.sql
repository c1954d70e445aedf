SELECT CAST(time_hour AS DATE) AS day, origin, count(*) AS departures,
       count(*) FILTER (WHERE cancelled) AS cancelled,
       count(*) FILTER (WHERE dep_delay > 15) AS late,
       count(*) FILTER (WHERE dep_delay > 15 AND (precip > 0 OR visib < 3)) AS late_in_bad_weather
FROM departures
GROUP BY ALL

-- Each departure with the weather of its hour and the name of its carrier.
SELECT f.time_hour, f.origin, f.dest, f.carrier, a.name AS airline, f.flight, f.distance,
       f.dep_delay IS NULL AS cancelled, f.dep_delay, f.arr_delay,
       w.temp, w.wind_speed, w.precip, w.visib
FROM flights f
LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
LEFT JOIN airlines a ON a.carrier = f.carrier
WHERE f.time_hour >= $from AND f.time_hour < $to

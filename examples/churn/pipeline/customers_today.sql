-- Active customers: nobody knows yet whether they leave.
SELECT * EXCLUDE (churned)
FROM features
WHERE churned IS NULL

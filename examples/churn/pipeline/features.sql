-- One row per customer: what the model may know.
SELECT
  customers.customer_id,
  gender,
  senior_citizen = 1 AS senior_citizen,
  partner,
  dependents,
  tenure,
  contract,
  paperless_billing,
  payment_method,
  phone_service,
  multiple_lines,
  internet_service,
  online_security,
  online_backup,
  device_protection,
  tech_support,
  streaming_tv,
  streaming_movies,
  monthly_charges,
  total_charges,
  churned
FROM customers
JOIN usage ON usage.customer_id = customers.customer_id

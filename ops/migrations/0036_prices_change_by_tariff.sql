-- What a service costs is said once, when it is entered, and changes by tariffs alone, which take two people. No import
-- changes it: the service's role cannot.

UPDATE gateway.service s SET currency = t.currency
  FROM (SELECT DISTINCT ON (service) service, terms->>'currency' AS currency FROM gateway.tariff
         WHERE decision = 'approved' ORDER BY service, effective_at DESC) t
 WHERE t.service = s.code AND t.currency <> s.currency;

REVOKE UPDATE ON gateway.service FROM mizan_service;
GRANT UPDATE (department, name_ar, name_en, revenue_code, active, updated_at, description_ar, description_en, audience,
              channels, documents, depends_on) ON gateway.service TO mizan_service;

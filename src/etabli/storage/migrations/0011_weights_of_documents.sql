-- The lexical weights of whole documents have constants of their own now (knowledge/bm25.py). A mean length that no index
-- has makes the next tending compute them anew; until then the old ones serve.
UPDATE document_profile SET mean_length = 0;
INSERT INTO job (kind, key, payload)
SELECT 'tend', 'index', '{}' WHERE EXISTS (SELECT FROM document_profile) AND NOT EXISTS
    (SELECT FROM job WHERE kind = 'tend' AND key = 'index' AND state IN ('queued', 'running'));

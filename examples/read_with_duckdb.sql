-- Read a model's log and records with DuckDB alone: they are JSON files, and objreg is not needed to read them.
--
--     duckdb -cmd "SET VARIABLE folder = 'registry/medical/tumor.model'" < examples/read_with_duckdb.sql
--
-- or from Python, read_with_duckdb.py. The folder may be s3://bucket/prefix/medical/tumor.model (DuckDB's httpfs).

-- Every change that every commit made: an entry's patch lists them in an array.
CREATE OR REPLACE TEMP TABLE changes AS
SELECT seq, time, actor, message, unnest(patch.changes, recursive := true)
FROM read_json(getvariable('folder') || '/log/*.json', columns = {
    seq: 'BIGINT', time: 'TIMESTAMPTZ', actor: 'VARCHAR', message: 'VARCHAR',
    patch: 'STRUCT(changes STRUCT("kind" VARCHAR, "name" VARCHAR, "version" VARCHAR, "after" VARCHAR[])[])'
});

-- The auditor's question: which version was in production, from when until when, and who moved it there?
SELECT "after"[1] AS version, time AS since, lead(time) OVER (ORDER BY seq) AS until, actor, message
FROM changes
WHERE kind = 'state_change' AND name = 'production'
ORDER BY seq;

-- And how good was it? The metrics of every experiment, from the records.
SELECT version ->> 'version' AS version, name, status, metrics
FROM read_json(getvariable('folder') || '/records/*.json', columns = {
    kind: 'VARCHAR', name: 'VARCHAR', status: 'VARCHAR',
    version: 'JSON', metrics: 'MAP(VARCHAR, DOUBLE)', created_at: 'TIMESTAMPTZ'
})
WHERE kind = 'experiment'
ORDER BY created_at;

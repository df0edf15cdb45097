-- Requests say their kind since there are several. A row that is older than the tag is about images.
UPDATE jobs SET request = json_set(request, '$.kind', 'image') WHERE json_extract(request, '$.kind') IS NULL;

UPDATE expansions SET jobs = (
    SELECT json_group_array(json(iif(
        json_extract(job.value, '$.request.kind') IS NULL, json_set(job.value, '$.request.kind', 'image'), job.value
    )))
    FROM json_each(expansions.jobs) AS job
);

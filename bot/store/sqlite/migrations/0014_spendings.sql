-- Money that services of others may bill for jobs, in millionths of the owner's currency. The row of a job goes when it
-- is certain that nothing was billed.
CREATE TABLE spendings (
    job_id INTEGER PRIMARY KEY REFERENCES jobs,
    month_start INTEGER NOT NULL,
    micros INTEGER NOT NULL CHECK (micros > 0)
) STRICT;

CREATE INDEX spendings_by_month ON spendings (month_start);

/** Operations on weights. Those that a person took off the list stay, because they tell what results were made from. */
export const weightsJobs = `
CREATE TABLE weights_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  operation TEXT NOT NULL,
  state TEXT NOT NULL,
  changes TEXT NOT NULL,
  notes TEXT NOT NULL,
  result TEXT,
  model_id INTEGER REFERENCES models (id) ON DELETE SET NULL,
  first_words TEXT,
  error TEXT,
  listed INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER
) STRICT;
CREATE INDEX weights_jobs_unfinished ON weights_jobs (state) WHERE state IN ('waiting', 'running');
`;

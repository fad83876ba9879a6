/** Datasets. What they were made of and how is JSON, as the contract has it; the examples themselves are in a file of their own each. */
export const datasets = `
CREATE TABLE datasets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  recipe TEXT NOT NULL,
  counts TEXT NOT NULL,
  left_out TEXT NOT NULL,
  cleaned TEXT,
  sampled_from INTEGER,
  fingerprint TEXT,
  reviewed INTEGER NOT NULL,
  error TEXT,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX datasets_unfinished ON datasets (state) WHERE state IN ('waiting', 'working');
`;

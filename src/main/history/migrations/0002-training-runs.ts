/** What the run told is JSON, as the contract has it. The model's name and path stay when the library forgets the model. */
export const trainingRuns = `
CREATE TABLE training_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  model_id INTEGER REFERENCES models (id) ON DELETE SET NULL,
  model_name TEXT NOT NULL,
  model_path TEXT NOT NULL,
  data TEXT NOT NULL,
  settings TEXT NOT NULL,
  plan TEXT,
  step TEXT,
  losses TEXT NOT NULL,
  validations TEXT NOT NULL,
  notes TEXT NOT NULL,
  error TEXT,
  adapter_path TEXT NOT NULL,
  adapter_id INTEGER REFERENCES models (id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER
) STRICT;
CREATE INDEX training_runs_unfinished ON training_runs (state) WHERE state IN ('waiting', 'preparing', 'running', 'paused');
`;

/**
 * What runs learn from and are measured on, where they go when they are done, and what their models answer; JSON, as the
 * contract has it. `earlier_paths`: what a run wrote before it went on in a new place.
 */
export const samplesAndPairs = `
ALTER TABLE training_runs ADD COLUMN validation_data TEXT NOT NULL DEFAULT '[]';
ALTER TABLE training_runs ADD COLUMN datasets TEXT NOT NULL DEFAULT '[]';
ALTER TABLE training_runs ADD COLUMN conversation_id INTEGER REFERENCES conversations (id) ON DELETE SET NULL;
ALTER TABLE training_runs ADD COLUMN samples TEXT NOT NULL DEFAULT '[]';
ALTER TABLE training_runs ADD COLUMN pairs TEXT NOT NULL DEFAULT '[]';
ALTER TABLE training_runs ADD COLUMN pairs_coming INTEGER NOT NULL DEFAULT 0;
ALTER TABLE training_runs ADD COLUMN earlier_paths TEXT NOT NULL DEFAULT '[]';
CREATE INDEX training_runs_by_conversation ON training_runs (conversation_id) WHERE conversation_id IS NOT NULL;

CREATE TABLE training_presets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  settings TEXT NOT NULL
) STRICT;
`;

/**
 * Servers of models, and their models in the library: lines of the table `models` of the kind `remote`. Keys are not in the database, only
 * whether there is one. `offered` is JSON: what the server had when it was asked last.
 */
export const servers = `
CREATE TABLE servers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  place TEXT NOT NULL,
  has_key INTEGER NOT NULL,
  offered TEXT NOT NULL,
  added_at INTEGER NOT NULL
) STRICT;

ALTER TABLE models ADD COLUMN server_id INTEGER REFERENCES servers (id) ON DELETE CASCADE;
-- Its name there, by which it is asked for; the name in the list is the person's.
ALTER TABLE models ADD COLUMN server_model TEXT;
CREATE INDEX models_by_server ON models (server_id);
`;

/**
 * Where models come from, what they are tagged with, and what checks of their files have found. `found_in`: the folder in which a scan has
 * found it; null where a person or Puna itself has added it. `file_bytes` and `modified_at` are those of the first file when it was
 * read. Tags and results of checks are JSON, as the contract has them.
 */
export const library = `
ALTER TABLE models ADD COLUMN origin TEXT NOT NULL DEFAULT 'file';
ALTER TABLE models ADD COLUMN found_in TEXT;
ALTER TABLE models ADD COLUMN real_path TEXT;
ALTER TABLE models ADD COLUMN file_bytes INTEGER;
ALTER TABLE models ADD COLUMN modified_at REAL;
ALTER TABLE models ADD COLUMN license TEXT;
ALTER TABLE models ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE models ADD COLUMN verified TEXT;
CREATE INDEX models_by_real_path ON models (real_path);
CREATE INDEX models_by_change ON models (modified_at, file_bytes);

CREATE TABLE library_folders (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE
) STRICT;

-- What a person took off the list though its file is still there: scans leave it out.
CREATE TABLE forgotten_models (
  path TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- expected: what the publisher says. sha256: what was read when the file had this size and time.
CREATE TABLE file_hashes (
  path TEXT PRIMARY KEY,
  expected TEXT,
  sha256 TEXT,
  bytes INTEGER,
  modified_at REAL
) STRICT, WITHOUT ROWID;
`;

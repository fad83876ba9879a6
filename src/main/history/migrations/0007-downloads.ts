/** Downloads from the hub. The plan and the error are JSON. */
export const downloads = `
CREATE TABLE downloads (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository TEXT NOT NULL,
  -- Null for the whole repository as a folder.
  file TEXT,
  name TEXT NOT NULL,
  quantization TEXT,
  state TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  done_bytes INTEGER NOT NULL,
  path TEXT NOT NULL,
  plan TEXT NOT NULL,
  model_id INTEGER REFERENCES models (id) ON DELETE SET NULL,
  error TEXT,
  created_at INTEGER NOT NULL
) STRICT;
`;

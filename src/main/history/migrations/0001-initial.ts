/** Times are milliseconds since 1970; lists and records that nobody searches are JSON. */
export const initial = `
CREATE TABLE folders (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE presets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  system_prompt TEXT NOT NULL,
  sampling TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE models (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL UNIQUE,
  bytes INTEGER NOT NULL,
  architecture TEXT NOT NULL,
  parameters REAL,
  quantization TEXT,
  context_length INTEGER,
  has_chat_template INTEGER NOT NULL,
  load_settings TEXT NOT NULL,
  added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE conversations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL,
  folder_id INTEGER REFERENCES folders (id) ON DELETE SET NULL,
  pinned INTEGER NOT NULL,
  archived INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- 0 while an import writes it: not to be seen yet, and to be cleared away if the import never ends.
  deleted_at INTEGER,
  model_id INTEGER REFERENCES models (id) ON DELETE SET NULL,
  adapters TEXT NOT NULL,
  system_prompt TEXT NOT NULL,
  sampling TEXT NOT NULL,
  leaf_id INTEGER
) STRICT;
CREATE INDEX conversations_by_change ON conversations (archived, pinned DESC, updated_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX conversations_by_folder ON conversations (folder_id);
CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  parent_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  text TEXT NOT NULL,
  thinking TEXT NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  stats TEXT,
  rating TEXT,
  correction TEXT,
  created_at INTEGER NOT NULL
) STRICT;
-- Holds the whole tree of a conversation, so that a branch is found without touching the texts.
CREATE INDEX messages_by_conversation ON messages (conversation_id, id, parent_id);
CREATE INDEX messages_by_parent ON messages (parent_id);
CREATE INDEX messages_unfinished ON messages (status) WHERE status IN ('waiting', 'streaming');

CREATE TABLE attachments (
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (message_id, position)
) STRICT, WITHOUT ROWID;

-- Rows are the messages' and conversations' ids; the words are those of segment.ts. The texts themselves are not kept twice.
CREATE VIRTUAL TABLE message_index USING fts5 (
  words, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3'
);
CREATE VIRTUAL TABLE title_index USING fts5 (
  words, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3'
);
`;

import { type LoadSettings, loadSettingsSchema, type Model } from '../../shared/contract/index.ts';

/** A line of the table `models`. */
export interface ModelRow {
  id: number;
  kind: Model['kind'];
  name: string;
  path: string;
  bytes: number;
  architecture: string;
  parameters: number | null;
  quantization: string | null;
  context_length: number | null;
  has_chat_template: 0 | 1;
  /** JSON */
  load_settings: string;
  added_at: number;
}

/** The line as the contract has it; whether the file is there now is not in the database. */
export function toModel(row: ModelRow, { missing }: { missing: boolean }): Model {
  return {
    ...{ id: row.id, kind: row.kind, name: row.name, path: row.path, bytes: row.bytes },
    ...{ architecture: row.architecture, parameters: row.parameters, quantization: row.quantization },
    contextLength: row.context_length,
    hasChatTemplate: row.has_chat_template === 1,
    loadSettings: readLoadSettings(row.load_settings),
    missing,
    addedAt: row.added_at,
  };
}

function readLoadSettings(json: string): LoadSettings {
  return loadSettingsSchema.parse(JSON.parse(json));
}

import { describe, expect, it } from 'vitest';
import { downloadedFolders, type Machine } from '../../src/main/library/downloaded/index.ts';

/** Homes that are not on this machine: no settings are read. */
const machines = {
  linux: { platform: 'linux', home: '/nowhere/ada', env: {} },
  mac: { platform: 'darwin', home: '/nowhere/Users/ada', env: {} },
  windows: {
    platform: 'win32',
    home: 'C:\\Users\\ada',
    env: { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming', LOCALAPPDATA: 'C:\\Users\\ada\\AppData\\Local' },
  },
} satisfies Record<string, Machine>;

async function places(machine: Machine) {
  const grouped = Map.groupBy(await downloadedFolders(machine), ({ program }) => program);
  return Object.fromEntries([...grouped].map(([program, list]) => [program, list.map(({ path }) => path)]));
}

describe('programs keep their models', () => {
  it('on Linux', async () => {
    expect(await places(machines.linux)).toEqual({
      'hugging-face': ['/nowhere/ada/.cache/huggingface/hub'],
      'lm-studio': ['/nowhere/ada/.lmstudio/models', '/nowhere/ada/.cache/lm-studio/models'],
      jan: ['/nowhere/ada/.config/Jan/data', '/nowhere/ada/.local/share/Jan/data', '/nowhere/ada/jan'],
      gpt4all: ['/nowhere/ada/.local/share/nomic.ai/GPT4All'],
      ollama: ['/nowhere/ada/.ollama/models', '/usr/share/ollama/.ollama/models'],
    });
  });

  it('on a Mac', async () => {
    const support = '/nowhere/Users/ada/Library/Application Support';
    expect(await places(machines.mac)).toEqual({
      'hugging-face': ['/nowhere/Users/ada/.cache/huggingface/hub'],
      'lm-studio': ['/nowhere/Users/ada/.lmstudio/models', '/nowhere/Users/ada/.cache/lm-studio/models'],
      jan: [`${support}/Jan/data`, '/nowhere/Users/ada/jan'],
      gpt4all: [`${support}/nomic.ai/GPT4All`],
      ollama: ['/nowhere/Users/ada/.ollama/models'],
    });
  });

  it('on Windows', async () => {
    const local = 'C:\\Users\\ada\\AppData\\Local';
    expect(await places(machines.windows)).toEqual({
      'hugging-face': ['C:\\Users\\ada\\.cache\\huggingface\\hub'],
      'lm-studio': ['C:\\Users\\ada\\.lmstudio\\models', 'C:\\Users\\ada\\.cache\\lm-studio\\models'],
      jan: ['C:\\Users\\ada\\AppData\\Roaming\\Jan\\data', `${local}\\Jan\\data`, 'C:\\Users\\ada\\jan'],
      gpt4all: [`${local}\\nomic.ai\\GPT4All`],
      ollama: ['C:\\Users\\ada\\.ollama\\models'],
    });
  });

  it('where variables say so', async () => {
    const of = async (env: Record<string, string>) => places({ ...machines.linux, env });
    expect(await of({ HF_HUB_CACHE: '/a', HF_HOME: '/b' })).toMatchObject({ 'hugging-face': ['/a'] });
    expect(await of({ HF_HOME: '/b' })).toMatchObject({ 'hugging-face': ['/b/hub'] });
    expect(await of({ XDG_CACHE_HOME: '/c' })).toMatchObject({ 'hugging-face': ['/c/huggingface/hub'] });
    expect(await of({ OLLAMA_MODELS: '/d' })).toMatchObject({ ollama: ['/d'] });
    expect(await of({ XDG_DATA_HOME: '/e' })).toMatchObject({ gpt4all: ['/e/nomic.ai/GPT4All'] });
  });
});

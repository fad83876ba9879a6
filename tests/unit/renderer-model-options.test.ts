// @vitest-environment jsdom
import { type Component, flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GrowForm } from '../../src/renderer/components/grow/grow-form.svelte.ts';
import ModelRow from '../../src/renderer/components/grow/ModelRow.svelte';
import TeachForm from '../../src/renderer/components/run/TeachForm.svelte';
import { TeachOrder } from '../../src/renderer/components/run/teach-order.svelte.ts';
import NewConversations from '../../src/renderer/components/settings/NewConversations.svelte';
import { setLanguage } from '../../src/renderer/lib/i18n.svelte.ts';
import { app } from '../../src/renderer/lib/stores/app.svelte.ts';
import type { Dataset, Model } from '../../src/shared/contract/index.ts';
import { automaticLoadSettings, defaultSettings } from '../../src/shared/contract/index.ts';

function model(id: number, name: string, changes: Partial<Model> = {}): Model {
  return {
    ...{ id, kind: 'model', name, path: `/${name}.gguf`, bytes: 2_000_000, architecture: 'llama' },
    ...{ parameters: null, quantization: null, contextLength: null, hasChatTemplate: true, license: null },
    ...{ origin: 'file', tags: [], verified: null, broken: null, loadSettings: automaticLoadSettings },
    ...{ missing: false, server: null, addedAt: id, ...changes },
  };
}

const cut = { code: 'file-damaged' as const, message: '/cut.gguf ends too early.', remedy: 'Copy it again.' };
const verified = { result: 'damaged' as const, sha256: null, damaged: ['changed.gguf'], at: 1 };
const models = [
  model(1, 'cut', { broken: cut }),
  model(2, 'whole'),
  model(3, 'gone', { missing: true }),
  model(4, 'changed', { verified }),
  model(5, 'refused'),
];
const dataset: Dataset = {
  ...{ id: 1, name: 'Colours', state: 'ready', path: '/colours.db', createdAt: 1, changedAt: 1 },
  recipe: { kind: 'import', name: 'Colours', sources: [], clean: null, validation: 0 },
  ...{ progress: null, leftOut: [], cleaned: null, sampledFrom: null, fingerprint: null },
  ...{ counts: { conversations: 1, texts: 0, excluded: 0, validation: 0 }, reviewed: true, error: null },
};

let close: (() => void) | undefined;

beforeEach(() => {
  app.models = models;
  app.engine = {
    ...{ state: 'failed', modelId: 5, progress: null, device: null, contextSize: null },
    failure: { code: 'out-of-memory', message: 'Too little memory.', remedy: 'Close something.' },
  };
});

afterEach(() => {
  close?.();
  close = undefined;
  app.models = [];
  app.engine = undefined;
  setLanguage('en');
  vi.unstubAllGlobals();
});

/** The options of the first select, with those that cannot be chosen in brackets. */
function optionsOf<Props extends Record<string, unknown>>(component: Component<Props>, props: Props) {
  const page = document.createElement('main');
  document.body.append(page);
  const mounted = mount(component, { target: page, props });
  flushSync();
  close = () => {
    void unmount(mounted);
    page.remove();
  };
  return [...(page.querySelector('select')?.options ?? [])].map(({ text, disabled }) =>
    disabled ? `[${text}]` : text,
  );
}

describe('a model that would not answer is marked, and can be chosen if its file is there,', () => {
  const marked = (gone: string) => [
    'cut · The file is damaged.',
    'whole',
    gone,
    'changed · The file is not what it should be.',
    'refused · There is not enough memory.',
  ];

  test('where one is to be taught', () => {
    expect(optionsOf(TeachForm, { dataset, order: new TeachOrder() })).toEqual(
      marked('[gone · The file is no longer where it was.]'),
    );
  });

  test('where one is to answer in new conversations', () => {
    const props = { settings: defaultSettings, onchange: () => undefined };
    expect(optionsOf(NewConversations, props).slice(1)).toEqual(
      marked('gone · The file is no longer where it was.'),
    );
  });

  test('where one is to write examples, instead of its size', () => {
    const options = optionsOf(ModelRow, { form: new GrowForm() });
    expect(options).toEqual(marked('[gone · The file is no longer where it was.]').with(1, 'whole · 2 MB'));
  });

  test('among the commands, in which what is gone is left out', async () => {
    // The window of jsdom cannot say how it is.
    vi.stubGlobal('matchMedia', () => Object.assign(new EventTarget(), { matches: false }));
    const { allCommands } = await import('../../src/renderer/components/palette/commands.ts');
    const labels = allCommands(() => undefined).map(({ label }) => label);
    expect(labels.filter((label) => label.startsWith('Talk with'))).toEqual([
      'Talk with cut · The file is damaged.',
      'Talk with changed · The file is not what it should be.',
      'Talk with refused · There is not enough memory.',
    ]);
  });

  test('in the language of the page', () => {
    setLanguage('ko');
    expect(optionsOf(TeachForm, { dataset, order: new TeachOrder() })[0]).toBe('cut · 파일이 손상되었어요.');
  });
});

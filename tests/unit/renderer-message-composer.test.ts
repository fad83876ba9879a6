// @vitest-environment jsdom
import { ORPCError } from '@orpc/client';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Attachment } from '../../src/shared/contract/index.ts';
import Composer from '../../src/renderer/components/composer/Composer.svelte';
import { setLanguage } from '../../src/renderer/lib/i18n.svelte.ts';
import { ComposerProps } from './renderer-message-props.svelte.ts';

beforeAll(() => {
  // jsdom has no layout, and so nothing to ask about it.
  vi.stubGlobal('CSS', { supports: () => true });
});

interface Sent {
  text: string;
  attachments: Attachment[];
}

let close: (() => void) | undefined;
afterEach(() => close?.());

function open(props = new ComposerProps()) {
  const page = document.createElement('main');
  document.body.append(page);
  const composer = mount(Composer, { target: page, props });
  flushSync();
  close = () => {
    void unmount(composer);
    page.remove();
  };
  const field = page.querySelector('textarea');
  if (!field) throw new Error('There is no field to write in.');
  const write = (text: string) => {
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
  };
  const press = (options: KeyboardEventInit) => {
    const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...options });
    field.dispatchEvent(event);
    flushSync();
    return event;
  };
  const attach = async (...files: File[]) => {
    composer.addFiles(files);
    await vi.waitFor(() => {
      flushSync();
      expect(page.querySelector('.busy')).toBeNull();
    });
  };
  return { page, field, write, press, attach, props, composer };
}

describe('what could not be sent', () => {
  const sentence = 'This reply is still being written.';
  const data = { code: 'invalid-input', remedy: 'Wait until it ends, or stop it.' };
  const onsend = () => Promise.reject(new ORPCError('FAILED', { message: sentence, data }));
  const alertOf = async (page: HTMLElement) => {
    const alert = await vi.waitFor(
      () => page.querySelector('[role=alert]') ?? Promise.reject(new Error('None.')),
    );
    return { said: alert.querySelector('p')?.textContent, details: alert.querySelector('details') };
  };
  afterEach(() => setLanguage('en'));

  it('comes back into the field, with why and what to do', async () => {
    const { page, field, write, press } = open(new ComposerProps({ onsend }));
    write('hello');
    press({});
    const { said, details } = await alertOf(page);
    expect(said).toBe(`Not sent. ${sentence} ${data.remedy}`);
    expect(details).toBeNull();
    expect(field.value).toBe('hello');
  });

  it('says so in Korean, with the words of the program folded below', async () => {
    setLanguage('ko');
    const { page, write, press } = open(new ComposerProps({ onsend }));
    write('hello');
    press({});
    const { said, details } = await alertOf(page);
    expect(said).toBe('보내지 못했어요. 그렇게는 할 수 없어요. 고르거나 적은 것을 확인해 주세요.');
    expect(details?.open).toBe(false);
    expect(details?.querySelector('[lang=en]')?.textContent).toBe(`${sentence} ${data.remedy}`);
  });
});

describe('the field', () => {
  it('sends with Enter, and is empty then', () => {
    const sent: Sent[] = [];
    const { write, press, field } = open(
      new ComposerProps({ onsend: async (message) => void sent.push(message) }),
    );
    write('  hello ');
    expect(press({}).defaultPrevented).toBe(true);
    expect(sent).toEqual([{ text: 'hello', attachments: [] }]);
    expect(field.value).toBe('');
  });

  it('sends nothing while a Korean syllable is put together', () => {
    const onsend = vi.fn();
    const { write, press } = open(new ComposerProps({ onsend }));
    write('학습');
    expect(press({ isComposing: true }).defaultPrevented).toBe(false);
    // Some systems end the composition first, and tell it by this code only.
    expect(press({ keyCode: 229 }).defaultPrevented).toBe(false);
    expect(press({ shiftKey: true }).defaultPrevented).toBe(false);
    expect(onsend).not.toHaveBeenCalled();
    press({});
    expect(onsend).toHaveBeenCalledOnce();
  });

  it('sends nothing while a reply is made, without a model, and when it is empty', () => {
    const onsend = vi.fn();
    const { write, press, props } = open(new ComposerProps({ onsend, busy: true }));
    press({});
    write('text');
    press({});
    props.busy = false;
    props.disabled = true;
    flushSync();
    press({});
    expect(onsend).not.toHaveBeenCalled();
  });

  it('gives back what could not be sent, with the reason', async () => {
    const onsend = () => Promise.reject(new Error('The database is locked.'));
    const { page, write, press, attach, field } = open(new ComposerProps({ onsend }));
    await attach(new File(['a,b\n'], 'table.csv'));
    write('important');
    press({});
    write('typed meanwhile');
    await vi.waitFor(() =>
      expect(page.querySelector('[role=alert]')?.textContent).toContain('The database is locked.'),
    );
    flushSync();
    expect(field.value).toBe('important\ntyped meanwhile');
    expect(page.querySelector('.files')?.textContent).toContain('table.csv');
  });

  it('keeps the text and the files of each conversation apart', async () => {
    const drafts = new Map<number, string>();
    const props = new ComposerProps({ ondraft: (text) => drafts.set(props.conversationId, text) });
    const { page, write, attach, field } = open(props);
    write('for the first');
    await attach(new File(['x'], 'first.txt'));
    props.conversationId = 2;
    flushSync();
    expect(field.value).toBe('');
    expect(page.querySelector('.files')).toBeNull();
    props.conversationId = 1;
    props.draft = drafts.get(1) ?? '';
    flushSync();
    expect(field.value).toBe('for the first');
    expect(page.querySelector('.files')?.textContent).toContain('first.txt');
  });
});

describe('files', () => {
  it('go with the message as text, and can be taken out', async () => {
    const sent: Sent[] = [];
    const { page, press, attach } = open(
      new ComposerProps({ onsend: async (message) => void sent.push(message) }),
    );
    await attach(new File(['one'], 'one.txt'), new File(['둘'], 'two.md'));
    expect([...page.querySelectorAll('.name')].map(({ textContent }) => textContent)).toEqual([
      'one.txt',
      'two.md',
    ]);
    page.querySelector<HTMLButtonElement>('.remove')?.click();
    flushSync();
    press({});
    expect(sent[0]?.attachments).toEqual([{ name: 'two.md', mimeType: 'text/plain', bytes: 3, text: '둘' }]);
    expect(page.querySelector('.files')).toBeNull();
  });

  it('that cannot be read say why, each in a sentence', async () => {
    const { page, attach } = open();
    await attach(new File([Uint8Array.from([0, 1, 2])], 'photo.png'), new File([''], 'nothing.txt'));
    const problems = [...page.querySelectorAll('[role=alert]')].map(({ textContent }) => textContent.trim());
    expect(problems).toHaveLength(2);
    expect(problems.join(' ')).toMatch(/photo\.png holds no text\..*nothing\.txt is empty\./);
  });

  it('are at most twenty', async () => {
    const { page, attach } = open();
    await attach(...Array.from({ length: 22 }, (_, index) => new File(['x'], `${index}.txt`)));
    expect(page.querySelectorAll('.chip')).toHaveLength(20);
    expect(page.querySelector('[role=alert]')?.textContent).toContain('at most 20 files');
  });
});

it('a reply that is being made can be stopped', () => {
  const onstop = vi.fn();
  const { page } = open(new ComposerProps({ busy: true, onstop }));
  page.querySelector<HTMLButtonElement>('.stop')?.click();
  expect(onstop).toHaveBeenCalledOnce();
});

it('the meter counts what is being written to what the conversation fills', async () => {
  const { page, attach } = open(new ComposerProps({ context: { used: 900, size: 1000 } }));
  expect(page.querySelector('[role=meter]')?.getAttribute('aria-valuenow')).toBe('900');
  await attach(new File(['x'.repeat(400)], 'long.txt'));
  await vi.waitFor(() => {
    flushSync();
    expect(page.querySelector('[role=meter]')?.textContent).toContain('1,000 of 1,000');
  });
});

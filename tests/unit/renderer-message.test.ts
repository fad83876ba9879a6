// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Message from '../../src/renderer/components/message/Message.svelte';
import type { ReplyStats } from '../../src/shared/contract/index.ts';
import { defaultSampling } from '../../src/shared/contract/index.ts';
import { anyBaseAdvice } from '../../src/shared/other-base.ts';
import { MessageProps, replyOf, userMessage } from './renderer-message-props.svelte.ts';

const stats: ReplyStats = {
  model: 'golden',
  server: null,
  adapters: [],
  sampling: defaultSampling,
  seed: 7,
  promptTokens: 100,
  cachedTokens: 60,
  tokens: 50,
  seconds: 2,
  timeToFirstToken: 0.25,
  tokensPerSecond: 28.6,
  contextUsed: 150,
  contextSize: 1024,
  droppedMessages: 0,
  truncated: false,
};

let close: (() => void) | undefined;
afterEach(() => close?.());

function open(props: MessageProps) {
  const page = document.createElement('main');
  document.body.append(page);
  const message = mount(Message, { target: page, props });
  flushSync();
  close = () => {
    void unmount(message);
    page.remove();
  };
  const buttons = (name: string) =>
    [...page.querySelectorAll('button')].filter(
      (one) => (one.getAttribute('aria-label') ?? one.textContent.trim()) === name,
    );
  const button = (name: string) => {
    const [found] = buttons(name);
    if (!found) throw new Error(`There is no button ${name}.`);
    return found;
  };
  const click = (name: string) => {
    button(name).click();
    flushSync();
  };
  const write = (text: string) => {
    const field = page.querySelector('textarea');
    if (!field) throw new Error('There is no field to write in.');
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
    return field;
  };
  return { page, button, buttons, click, write, props };
}

describe('a reply that is not there yet says what it waits for', () => {
  const entry = { messageId: 2, conversationId: 1, progress: null };
  const waiting = replyOf({ status: 'waiting' });

  it('its turn', () => {
    const { page } = open(
      new MessageProps(waiting, { streaming: true, queue: { ...entry, state: 'waiting' }, position: 1 }),
    );
    expect(page.textContent).toContain('Waiting, 2nd in line');
  });

  it('the model', () => {
    const { page } = open(
      new MessageProps(waiting, { streaming: true, queue: { ...entry, state: 'loading' } }),
    );
    expect(page.textContent).toContain('Loading the model');
  });

  it('that the conversation is read, and how far', () => {
    const { page } = open(
      new MessageProps(waiting, { streaming: true, queue: { ...entry, state: 'reading', progress: 0.45 } }),
    );
    expect(page.textContent).toContain('45%');
    expect(page.querySelector('progress')?.value).toBe(0.45);
  });

  it('and has no tools meanwhile', () => {
    const { page } = open(
      new MessageProps(waiting, { streaming: true, queue: { ...entry, state: 'waiting' } }),
    );
    expect(page.querySelectorAll('.toolbar')).toHaveLength(0);
  });
});

describe('a reply that did not end by itself says so, and how to go on', () => {
  it('failed', () => {
    const onregenerate = vi.fn();
    const { page, buttons, click } = open(
      new MessageProps(replyOf({ status: 'failed', error: 'Too little memory.' }), { onregenerate }),
    );
    expect(page.textContent).toContain('Too little memory.');
    click('Try again');
    expect(onregenerate).toHaveBeenCalledOnce();
    expect(buttons('Try again')).toHaveLength(1);
  });

  it('failed for an adapter of another model, which can be allowed at once', () => {
    const onallow = vi.fn();
    const error = `x.gguf was trained on "Y", and this model is another file. ${anyBaseAdvice}.`;
    const { buttons, click } = open(new MessageProps(replyOf({ status: 'failed', error }), { onallow }));
    click('Allow and try again');
    expect(onallow).toHaveBeenCalledOnce();
    expect(buttons('Try again')).toHaveLength(1);
  });

  it.each(['stopped', 'interrupted'] as const)('%s', (status) => {
    const oncontinue = vi.fn();
    const { click } = open(new MessageProps(replyOf({ status, text: 'Half a' }), { oncontinue }));
    click('Continue');
    expect(oncontinue).toHaveBeenCalledOnce();
  });

  it('stopped before its first word', () => {
    const { page, buttons } = open(new MessageProps(replyOf({ status: 'stopped' })));
    expect(buttons('Try again')).toHaveLength(1);
    expect(page.textContent).not.toContain('Continue');
  });

  it('too long', () => {
    const { page } = open(new MessageProps(replyOf({ text: 'x', stats: { ...stats, truncated: true } })));
    expect(page.textContent).toContain('reached its length limit');
  });

  it('and that the model did not see everything', () => {
    const { page } = open(new MessageProps(replyOf({ text: 'x', stats: { ...stats, droppedMessages: 4 } })));
    expect(page.textContent).toContain('The oldest 4 messages no longer fitted into the context');
  });
});

describe('a reply of a server', () => {
  it('says by which model and on which server it was written', () => {
    const server = { name: 'Box', place: 'elsewhere' as const };
    const { page } = open(new MessageProps(replyOf({ text: 'x', stats: { ...stats, server } })));
    expect(page.querySelector('.toolbar')?.textContent).toContain('golden, on Box');
    expect(page.querySelector('.answered')?.getAttribute('title')).toBe('Outside of your network');
  });

  it('is told from one of this computer, which says nothing of servers', () => {
    const { page } = open(new MessageProps(replyOf({ text: 'x', stats })));
    expect(page.querySelector('.toolbar')?.textContent).toContain('tokens/s');
    expect(page.querySelector('.answered')).toBeNull();
  });
});

describe('thoughts', () => {
  it('are open while they come, close when the reply begins, and can be opened again', () => {
    const props = new MessageProps(replyOf({ status: 'streaming', thinking: 'Hmm, **grass**' }), {
      streaming: true,
    });
    const { page, click } = open(props);
    expect(page.querySelector('.thinking .body')?.textContent).toBe('Hmm, grass');
    props.message = { ...props.message, text: 'Golden.' };
    flushSync();
    expect(page.querySelector('.thinking .markdown')).toBeNull();
    click(page.querySelector('.thinking button')?.textContent.trim() ?? '');
    expect(page.querySelector('.thinking .body')?.textContent).toBe('Hmm, grass');
  });

  it('of earlier sessions are not drawn until someone looks', () => {
    const { page } = open(new MessageProps(replyOf({ thinking: 'Long ago', text: 'Yes' })));
    expect(page.textContent).not.toContain('Long ago');
  });
});

describe('what a person thinks of a reply', () => {
  it('is a thumb, which can be taken back', () => {
    const onfeedback = vi.fn(() => Promise.resolve());
    const props = new MessageProps(replyOf({ text: 'Yes' }), { onfeedback });
    const { click, button } = open(props);
    click('Good reply');
    expect(onfeedback).toHaveBeenLastCalledWith({ rating: 'up', correction: null });
    props.message = { ...props.message, feedback: { rating: 'up', correction: null } };
    flushSync();
    expect(button('Good reply').getAttribute('aria-pressed')).toBe('true');
    click('Good reply');
    expect(onfeedback).toHaveBeenLastCalledWith({ rating: null, correction: null });
  });

  it('is the reply as it should have been, which is shown from then on', async () => {
    const onfeedback = vi.fn(() => Promise.resolve());
    const props = new MessageProps(replyOf({ text: 'Grass is blue.' }), { onfeedback });
    const { page, click, write } = open(props);
    click('Correct');
    expect(page.querySelector('textarea')?.value).toBe('Grass is blue.');
    write('Grass is golden.');
    click('Save');
    expect(onfeedback).toHaveBeenCalledWith({ rating: null, correction: 'Grass is golden.' });
    props.message = { ...props.message, feedback: { rating: null, correction: 'Grass is golden.' } };
    await vi.waitFor(() => {
      flushSync();
      expect(page.querySelector('.markdown')?.textContent).toBe('Grass is golden.');
    });
    expect(page.textContent).toContain('Corrected by you');
    click('Show original');
    expect(page.querySelector('.markdown')?.textContent).toBe('Grass is blue.');
  });
});

describe('a message of the person', () => {
  it('is shown as it was typed', () => {
    const { page } = open(new MessageProps(userMessage({ text: '**not bold** <b>\n  x' })));
    expect(page.querySelector('.text')?.textContent).toBe('**not bold** <b>\n  x');
  });

  it('is edited in its place; Escape leaves it as it was and stops nothing else', () => {
    const onedit = vi.fn(() => Promise.resolve());
    const { page, click, write } = open(new MessageProps(userMessage({ text: 'Hello' }), { onedit }));
    const heard = vi.fn();
    document.body.addEventListener('keydown', heard);
    click('Edit');
    write('Other').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    flushSync();
    document.body.removeEventListener('keydown', heard);
    expect(heard).not.toHaveBeenCalled();
    expect(page.querySelector('.text')?.textContent).toBe('Hello');
    click('Edit');
    write('Hello there').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    expect(onedit).toHaveBeenCalledExactlyOnceWith('Hello there');
  });

  it('shows its versions, which the arrow keys leaf through', () => {
    const onbranch = vi.fn();
    const { page, button } = open(
      new MessageProps(userMessage({ id: 5, siblings: [3, 5, 9], text: 'x' }), { onbranch }),
    );
    expect(page.textContent).toContain('2/3');
    const press = (key: string) =>
      button('Next version').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    press('ArrowLeft');
    press('ArrowRight');
    expect(onbranch.mock.calls).toEqual([[3], [9]]);
  });

  it('a very long one is folded', () => {
    const { page, click } = open(new MessageProps(userMessage({ text: 'word '.repeat(10_000) })));
    expect(page.querySelector('.text')?.textContent.length).toBeLessThan(10_000);
    click('Show more');
    expect(page.querySelector('.text')?.textContent.length).toBe(50_000);
  });

  it('shows the text of its files', async () => {
    const onattachment = vi.fn(() =>
      Promise.resolve({ name: 'a.csv', mimeType: 'text/csv', bytes: 4, text: '1,2' }),
    );
    const info = { name: 'a.csv', mimeType: 'text/csv', bytes: 4, characters: 3 };
    const { page } = open(new MessageProps(userMessage({ attachments: [info] }), { onattachment }));
    page.querySelector<HTMLButtonElement>('.chip .open')?.click();
    flushSync();
    expect(onattachment).toHaveBeenCalledWith(0);
    await vi.waitFor(() => {
      flushSync();
      expect(document.querySelector('[role=dialog] pre')?.textContent).toBe('1,2');
    });
  });
});

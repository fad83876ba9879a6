// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, it, vi } from 'vitest';
import Markdown from '../../src/renderer/components/markdown/Markdown.svelte';
import { WrittenText } from './markdown-written-text.svelte.ts';

const article = `# Title **bold**

A paragraph with \`code\`, [a link](https://example.com), $x^2$ and **학습(training)**은.
- one
- two *it*
  1. nested

     \`\`\`python
     print("in a list")
     \`\`\`
- [x] done

| a | b |
|---|--:|
| 1 | **2** |

$$
\\frac{a}{b}
$$

> quote

\`\`\`ts
const a = 1; // one
/* more
   lines */
\`\`\`

---

H<sub>2</sub>O ![chart](https://example.com/c.png)

<details><summary>x</summary>hi</details>

The [end][e].

[e]: https://example.com/e
`;

let open: Record<string, unknown>[] = [];
function show(written: WrittenText): HTMLElement {
  const target = document.createElement('main');
  open.push(mount(Markdown, { target, props: written }));
  flushSync();
  return target;
}

/** Text and structure as a person sees them: without the names that components get for their styles. */
function seen(page: HTMLElement): string {
  return page.innerHTML.replaceAll('<!---->', '').replaceAll(' class=""', '');
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

afterEach(async () => {
  await Promise.all(open.map((component) => unmount(component)));
  open = [];
});

it('a reply that was written piece by piece looks as if it had come at once', async () => {
  const written = new WrittenText('', true);
  const page = show(written);
  for (let length = 1; length < article.length; length += 5) {
    written.text = article.slice(0, length);
    flushSync();
    await nextFrame();
    flushSync();
  }
  written.text = article;
  written.streaming = false;
  flushSync();
  const atOnce = show(new WrittenText(article, false));
  // Colours of code come when its language is loaded, and then line by line.
  await vi.waitFor(() => {
    expect(atOnce.querySelectorAll('.code-token-comment').length).toBeGreaterThan(2);
    expect(seen(page)).toBe(seen(atOnce));
  }, 10_000);
});

it('what has been written is not drawn again while more comes', async () => {
  const written = new WrittenText('First **bold**.\n\nSecond one', true);
  const page = show(written);
  const [first, second] = page.querySelectorAll('p');
  const nodes = [first, second, first?.firstChild, second?.firstChild];
  written.text += ' goes on and on';
  flushSync();
  await nextFrame();
  flushSync();
  const [firstNow, secondNow] = page.querySelectorAll('p');
  expect([firstNow, secondNow, firstNow?.firstChild, secondNow?.firstChild]).toEqual(nodes);
  expect(secondNow?.textContent).toBe('Second one goes on and on');
  expect(secondNow?.firstChild).toBe(nodes[3]);
});

it('a selection in what is being written stays', async () => {
  const written = new WrittenText('Some words and', true);
  const page = show(written);
  document.body.append(page);
  const text = page.querySelector('p')?.firstChild;
  if (!text) throw new Error('There is no text.');
  getSelection()?.setBaseAndExtent(text, 5, text, 10);
  written.text += ' more **of them**';
  flushSync();
  await nextFrame();
  flushSync();
  expect(getSelection()?.toString()).toBe('words');
  expect(page.textContent).toBe('Some words and more of them');
});

it('pieces that come within one frame are drawn once', async () => {
  const written = new WrittenText('', true);
  const page = show(written);
  const frames = vi.spyOn(window, 'requestAnimationFrame');
  for (const word of ['a', 'b', 'c', 'd']) {
    written.text += word;
    flushSync();
  }
  expect(frames).toHaveBeenCalledTimes(1);
  frames.mockRestore();
  await nextFrame();
  flushSync();
  expect(page.textContent).toBe('abcd');
});

it('code can be copied as it was written, and says its language', () => {
  const page = show(new WrittenText('```py\nif a < b:\n    pass\n```', false));
  expect(page.querySelector('figcaption')?.textContent).toContain('Python');
  expect(page.querySelector('code')?.textContent).toBe('if a < b:\n    pass');
});

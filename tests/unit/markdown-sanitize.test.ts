// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';
import type { Block } from '../../src/renderer/lib/markdown/block.ts';
import { sanitize } from '../../src/renderer/lib/markdown/sanitize.ts';
import { MarkdownStream } from '../../src/renderer/lib/markdown/stream.ts';

/** All HTML that a block brings along. */
function htmlOf(block: Block): string[] {
  if ('html' in block) return [block.html];
  if (block.kind === 'quote') return block.blocks.flatMap(htmlOf);
  if (block.kind === 'list') return block.items.flatMap((item) => item.blocks.flatMap(htmlOf));
  return block.kind === 'table' ? [...block.header, ...block.rows.flat()] : [];
}

/** What a person sees of a markdown text, as the nodes that go into the page. */
function show(markdown: string): HTMLElement {
  const page = document.createElement('div');
  for (const block of new MarkdownStream().update(markdown, false)) {
    for (const html of htmlOf(block)) page.append(sanitize(html));
  }
  return page;
}

/** Every way for markup to do something, rather than to be read. */
function dangersIn(page: HTMLElement): string[] {
  const dangers: string[] = [];
  for (const element of page.querySelectorAll('*')) {
    // Formulas are drawn by KaTeX, from text; how is tested below.
    if (element.closest('.formula') && !element.matches('.formula')) continue;
    const tag = element.tagName.toLowerCase();
    if (
      /^(script|style|iframe|object|embed|form|input|button|textarea|select|link|meta|base|svg|math|img|video|audio|source|picture|template|dialog|frame|frameset|applet|marquee|portal|noscript)$/.test(
        tag,
      )
    ) {
      dangers.push(`<${tag}>`);
    }
    for (const { name, value } of element.attributes) {
      if (name.startsWith('on')) dangers.push(`${tag}[${name}]`);
      if (
        [
          'style',
          'id',
          'name',
          'srcset',
          'src',
          'action',
          'formaction',
          'background',
          'ping',
          'is',
          'slot',
        ].includes(name)
      ) {
        dangers.push(`${tag}[${name}]`);
      }
      if (name === 'class' && !/^(image-(chip|alt|host)|formula(-source)?)$/.test(value))
        dangers.push(`${tag}.${value}`);
      if (name === 'href' && !/^(https?:\/\/|mailto:)/i.test(value)) dangers.push(`${tag}[href=${value}]`);
    }
    if (
      tag === 'a' &&
      (!element.matches('[target=_blank]') || !element.getAttribute('rel')?.includes('noopener'))
    ) {
      dangers.push('a without rel');
    }
  }
  return dangers;
}

const attacks = [
  '<script>alert(1)</script>',
  'text <script src=https://evil.example/x.js></script> text',
  '<img src=x onerror=alert(1)>',
  '<img src="https://evil.example/pixel.png" srcset="https://evil.example/2.png 2x">',
  '![pixel](https://evil.example/pixel.png)',
  '![x](data:image/svg+xml;base64,PHN2Zz48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ+PC9zdmc+)',
  '![x](javascript:alert(1))',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java\nscript:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](&#x6A;avascript&colon;alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](vbscript:msgbox(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](file:///etc/passwd)',
  '[x](blob:https://example.com/1)',
  '[x](app://puna/index.html)',
  '[x](//evil.example/protocol-relative)',
  '[x](/settings)',
  '[x](#composer)',
  '[x][r]\n\n[r]: javascript:alert(1)',
  '<javascript:alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="  javascript:alert(1)">x</a>',
  '<a href="https://ok.example" onclick="alert(1)" target="_self" rel="opener">x</a>',
  '<a href="https://ok.example" style="position:fixed;inset:0" class="button" id="app">x</a>',
  '<a xlink:href="javascript:alert(1)">x</a>',
  '<svg onload=alert(1)><script>alert(1)</script><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  '<svg><animate onbegin=alert(1) attributeName=x></svg>',
  '<svg><use href="data:image/svg+xml,<svg id=x onload=alert(1)>#x"></use></svg>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  '<math href="javascript:alert(1)">x</math>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<object data="javascript:alert(1)"></object><embed src="javascript:alert(1)">',
  '<form action="https://evil.example"><input name=q><button formaction="javascript:alert(1)">x</button></form>',
  '<style>* { display: none }</style>',
  '<div style="position:fixed;inset:0;background:url(https://evil.example/x)">x</div>',
  '<div class="composer" id="root">x</div>',
  '<link rel=stylesheet href=https://evil.example/x.css><meta http-equiv=refresh content="0;url=https://evil.example"><base href=https://evil.example>',
  '<video src=x onerror=alert(1) autoplay><source src=https://evil.example/v.mp4></video>',
  '<audio src=https://evil.example/a.mp3 autoplay></audio>',
  '<details open ontoggle=alert(1)><summary>x</summary></details>',
  '<body onload=alert(1)>',
  '<input autofocus onfocus=alert(1)>',
  '<marquee onstart=alert(1)>x</marquee>',
  '<template><script>alert(1)</script></template>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<p title="`<img src=x onerror=alert(1)>`">x</p>',
  '<!--><img src=x onerror=alert(1)>-->',
  '<![CDATA[<img src=x onerror=alert(1)>]]>',
  '<?php echo "<img src=x onerror=alert(1)>" ?>',
  '<x-component is="script" onclick=alert(1)>x</x-component>',
  '<table background="javascript:alert(1)"><tr><td onmouseover=alert(1)>x</td></tr></table>',
  '| a |\n|---|\n| <img src=x onerror=alert(1)> [x](javascript:alert(1)) |',
  '- <script>alert(1)</script>\n- [x](javascript:alert(1))',
  '> <img src=x onerror=alert(1)>',
  '# <img src=x onerror=alert(1)>',
  '**<img src=x onerror=alert(1)>**',
  '`<img src=x onerror=alert(1)>`',
  '```html\n<script>alert(1)</script>\n```',
  '```"><img src=x onerror=alert(1)>\ncode\n```',
  '$\\href{javascript:alert(1)}{x}$',
  '$\\url{javascript:alert(1)}$ $\\includegraphics{https://evil.example/x.png}$',
  '$\\htmlStyle{position:fixed}{x} \\htmlClass{button}{x} \\htmlId{app}{x} \\htmlData{x=y}{x}$',
  '<span data-math="inline">\\href{javascript:alert(1)}{x}</span>',
  '<span data-math="inline"><img src=x onerror=alert(1)></span>',
  '$</span><img src=x onerror=alert(1)>$',
  '[<img src=x onerror=alert(1)>](https://ok.example "\\" onmouseover=alert(1)")',
  '![" onerror="alert(1)](https://evil.example/x.png)',
  '[x](https://ok.example/"onclick="alert(1))',
  '<a href="https://ok.example"><img src="https://evil.example/pixel.png" alt="x"></a>',
  '<div><p><a href="javas&#99;ript:alert(1)">x',
  '<img src="x` `<script>alert(1)</script>"` `>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
];

describe('nothing that a model writes can do anything', () => {
  it.each(attacks)('%s', (attack) => {
    expect(dangersIn(show(attack))).toEqual([]);
  });

  it.each(attacks)('half written: %s', (attack) => {
    const stream = new MarkdownStream();
    for (let length = 1; length <= attack.length; length++) {
      const page = document.createElement('div');
      for (const block of stream.update(attack.slice(0, length), true)) {
        for (const html of htmlOf(block)) page.append(sanitize(html));
      }
      expect(dangersIn(page)).toEqual([]);
    }
  });

  it('not from a formula either', () => {
    const page = show(
      '$\\href{javascript:alert(1)}{x} \\includegraphics{https://evil.example/x.png} \\htmlStyle{position:fixed}{y}$ $\\htmlId{app}{x}$',
    );
    expect(page.querySelectorAll('a, img, [id], script, [style*="fixed"]')).toHaveLength(0);
  });
});

describe('what may be shown stays', () => {
  it('a link to the web opens outside and tells nothing', () => {
    const link = show('[x](https://example.com/a?b=1&c=2)').querySelector('a');
    expect(link?.outerHTML).toBe(
      '<a href="https://example.com/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">x</a>',
    );
  });

  it('a bare address and a mail address become links', () => {
    const links = [...show('https://example.com/x and me@example.com').querySelectorAll('a')];
    expect(links.map((link) => link.getAttribute('href'))).toEqual([
      'https://example.com/x',
      'mailto:me@example.com',
    ]);
  });

  it('the text of a refused link', () =>
    expect(show('[click **me**](javascript:alert(1))').textContent).toBe('click me'));

  it('an image as its text and its host, which loads nothing', () => {
    const page = show('![A chart](https://example.com/chart.png)');
    expect(page.querySelector('.image-chip')?.textContent).toBe('A chartexample.com');
    expect(page.querySelector('.image-chip')?.getAttribute('href')).toBe('https://example.com/chart.png');
  });

  it('the text of an image of which the address is still being written', () => {
    const [block] = new MarkdownStream().update('![A chart](https://exam', true);
    expect(sanitize(block && 'html' in block ? block.html : '').textContent).toBe('A chart');
  });

  it('harmless HTML', () => {
    const html =
      'H<sub>2</sub>O <kbd>Ctrl</kbd> <mark>x</mark><br><details open=""><summary>More</summary>text</details>';
    const page = document.createElement('div');
    page.append(sanitize(html));
    expect(page.innerHTML).toBe(html);
  });

  it('code that talks of markup', () => {
    expect(show('`<b>` and `</script>`').innerHTML).toBe(
      '<code>&lt;b&gt;</code> and <code>&lt;/script&gt;</code>',
    );
  });

  it('a formula with signs that markup has too', () => {
    expect(show('$a < b > c$ $x \\in [a]>0$').querySelectorAll('.formula .katex')).toHaveLength(2);
  });
});

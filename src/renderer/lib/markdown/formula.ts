import createDOMPurify from 'dompurify';
import katex from 'katex';

/** KaTeX sets heights and offsets as styles, which nothing else may: its own output gets a sanitizer of its own. */
const purifier = createDOMPurify(window);

/** Formulas kept as they were drawn: streaming and scrolling ask for the same ones again and again. */
const maxKept = 500;
const kept = new Map<string, DocumentFragment | null>();

function draw(tex: string, display: boolean): DocumentFragment | null {
  try {
    const html = katex.renderToString(tex, {
      displayMode: display,
      throwOnError: true,
      // Models mix text and formulas freely; a warning would help nobody.
      strict: 'ignore',
      // No links, images, HTML or styles from a formula.
      trust: false,
      // A formula can neither cover the page nor expand for ever.
      maxSize: 40,
      maxExpand: 500,
    });
    return purifier.sanitize(html, {
      USE_PROFILES: { html: true, mathMl: true, svg: true },
      ADD_TAGS: ['semantics', 'annotation'],
      RETURN_DOM_FRAGMENT: true,
    });
  } catch {
    return null;
  }
}

/** The drawn formula; null where KaTeX does not understand it (yet). */
export function drawFormula(tex: string, display: boolean): DocumentFragment | null {
  const key = `${display ? 'display' : 'inline'} ${tex}`;
  let drawn = kept.get(key);
  if (drawn === undefined) {
    drawn = draw(tex, display);
    const oldest = kept.keys().next();
    if (kept.size >= maxKept && !oldest.done) kept.delete(oldest.value);
    kept.set(key, drawn);
  }
  return drawn && document.importNode(drawn, true);
}

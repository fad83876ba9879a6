/** Text of ours that is only a label of its element: equal text means equal content. */
const sourceAttribute = 'data-tex';

function syncAttributes(live: Element, next: Element): void {
  for (const { name } of [...live.attributes]) if (!next.hasAttribute(name)) live.removeAttribute(name);
  for (const { name, value } of next.attributes) {
    if (live.getAttribute(name) !== value) live.setAttribute(name, value);
  }
}

/** Makes `live` show what `next` does, if they are of one kind. */
function patchNode(live: Node, next: Node): boolean {
  if (live instanceof Text && next instanceof Text) {
    // Adding at the end keeps a selection that a person has made in what is there.
    if (next.data.startsWith(live.data)) {
      if (next.length > live.length) live.appendData(next.data.slice(live.length));
    } else live.data = next.data;
    return true;
  }
  if (!(live instanceof Element) || !(next instanceof Element) || live.tagName !== next.tagName) return false;
  const source = next.getAttribute(sourceAttribute);
  if (source !== null && source === live.getAttribute(sourceAttribute) && live.className === next.className) {
    return true;
  }
  syncAttributes(live, next);
  patchChildren(live, next);
  return true;
}

/**
 * Changes the children of `live` into those of `next`, touching only what differs, so that text which grows neither flickers nor
 * loses a selection. Takes nodes out of `next`.
 */
export function patchChildren(live: Node, next: Node): void {
  let current = live.firstChild;
  for (const wanted of [...next.childNodes]) {
    if (current === null) {
      live.appendChild(wanted);
    } else {
      const following: ChildNode | null = current.nextSibling;
      if (!patchNode(current, wanted)) current.replaceWith(wanted);
      current = following;
    }
  }
  while (current !== null) {
    const following: ChildNode | null = current.nextSibling;
    current.remove();
    current = following;
  }
}

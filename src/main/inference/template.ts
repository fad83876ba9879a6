import { type ChatWrapper, LlamaText } from 'node-llama-cpp';

/** How a model marks what it thinks before it answers. */
export interface ThoughtTags {
  prefix: string;
  suffix: string;
  /** The template begins every reply inside a thought. */
  openedOnStart: boolean;
}

/** What models write whose template says nothing of thoughts. */
const usualTags = { prefix: '<think>', suffix: '</think>' };

export function templateTags(template: ChatWrapper): ThoughtTags {
  const thought = template.settings.segments?.thought;
  if (!thought) return { ...usualTags, openedOnStart: false };
  const { prefix, suffix } = thought;
  const openedOnStart = typeof prefix === 'object' && 'type' in prefix && prefix.type === 'openedOnStart';
  return {
    prefix: openedOnStart
      ? usualTags.prefix
      : textOf(prefix as string | LlamaText).trim() || usualTags.prefix,
    suffix: (suffix === undefined ? '' : textOf(suffix).trim()) || usualTags.suffix,
    openedOnStart,
  };
}

/** The characters of a template's text, those of special tokens among them. */
export function textOf(text: string | LlamaText): string {
  return LlamaText(text)
    .values.map((part) => (typeof part === 'string' ? part : 'value' in part ? String(part.value) : ''))
    .join('');
}

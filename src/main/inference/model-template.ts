import type { LlamaModel } from 'node-llama-cpp';
import type { ChatTemplate } from './chat-template.ts';
import { JinjaTemplate } from './jinja-template.ts';
import { WrapperTemplate } from './wrapper-template.ts';

/** ChatML, for models that know its marks but bring no template. */
const chatMl = `{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

/**
 * How to talk to a model: by the template that its file brings; else, or if that does not work, by what its vocabulary, its
 * name and its architecture tell; and at last by a plain transcript.
 */
export function modelTemplate(model: LlamaModel): ChatTemplate {
  const source = model.fileInfo.metadata.tokenizer?.chat_template ?? '';
  const tokens = { bos: model.tokens.bosString ?? '', eos: model.tokens.eosString ?? '' };
  if (source.trim() !== '') {
    try {
      return new JinjaTemplate(source, tokens);
    } catch (thrown) {
      process.stderr.write(`The model's chat template does not work: ${String(thrown)}\n`);
    }
  } else if (knows(model, '<|im_start|>') && knows(model, '<|im_end|>')) {
    return new JinjaTemplate(chatMl, tokens);
  }
  return new WrapperTemplate(model, source);
}

/** Whether a text is one special token. */
function knows(model: LlamaModel, text: string): boolean {
  const [token, ...others] = model.tokenize(text, true);
  return token !== undefined && others.length === 0 && model.getTokenAttributes(token).control;
}

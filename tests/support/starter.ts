import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildTinyModel } from './models.ts';
import { questions, teachingBase } from './teaching.ts';
import { jsonLines } from './teaching-world.ts';
import { runHere } from './weights.ts';

/** What is asked in the invented world that stands for the samples: the same in both languages. */
export const asked = {
  chat: questions.known.slice(0, 2),
  taught: questions.taught.filter((_, index) => index % 8 === 0).slice(0, 3),
};

const inBoth = (text: string) => ({ en: text, ko: text });

/**
 * A folder as that of what comes with Puna, in a folder that is there: its starter model is the one that knows a part of the invented
 * world, its chats are the facts that it does not know. Gives the folder.
 */
export async function buildResources(within: string): Promise<string> {
  const resources = join(within, 'resources');
  const at = (name: string) => join(resources, 'starter', name);
  await mkdir(at(''), { recursive: true });
  await copyFile(teachingBase, at('puna-starter.gguf'));
  await writeFile(at('chats.jsonl'), jsonLines(questions.taught));
  await buildTinyModel(at('base.gguf'), { seed: 1 });
  await buildTinyModel(join(within, 'target.gguf'), { seed: 2 });
  await runHere({
    ...{ kind: 'delta-make', base: at('base.gguf'), target: join(within, 'target.gguf') },
    ...{ out: at('delta.gguf'), compress: false },
  });
  const samples = {
    chats: 'chats.jsonl',
    delta: { file: 'delta.gguf', base: 'base.gguf' },
    questions: {
      chat: asked.chat.map(({ question }) => inBoth(question)),
      taught: asked.taught.map(({ question, answer }) => ({
        question: inBoth(question),
        answer: inBoth(answer),
      })),
      delta: [inBoth('Hello!')],
    },
  };
  await writeFile(at('samples.json'), JSON.stringify(samples));
  return resources;
}

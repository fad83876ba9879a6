import { join } from 'node:path';
import { buildTinyAdapter } from '../../tests/support/models.ts';
import { replyFinished } from '../../tests/support/shell.ts';
import { addScripted, desk, guide, type Scene } from './stage.ts';

/** A conversation, in all its looks. */
export const chat: Scene = {
  names: { en: ['chat-light', 'chat-dark', 'chat-narrow'], ko: ['chat-korean'] },
  async take({ language, words, shell, page, picture, show }) {
    const { client } = shell;
    const { id: conversationId } = await client.conversations.create({});
    await client.chat.send({ conversationId, parentId: null, text: words.question, attachments: [] });
    await replyFinished(shell);
    await show(`/chat/${conversationId}`);
    await page.getByRole('article').last().waitFor();
    if (language === 'ko') return picture(page, 'chat-korean');
    await picture(page, 'chat-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, 'chat-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.reload();
    await page.getByRole('article').last().waitFor();
    await picture(page, 'chat-narrow');
    await page.setViewportSize(desk);
  },
};

/** For the guide: an edited question with its versions, a search, and adapters under the model's name. */
export const chatGuide: Scene = {
  names: {
    en: ['guide-en-chat', 'guide-en-search', 'guide-en-adapters'],
    ko: ['guide-ko-chat', 'guide-ko-search', 'guide-ko-adapters'],
  },
  async take({ language, words: { guide: words }, shell, page, folder, picture, show }) {
    const { client } = shell;
    const modelId = await addScripted(client, {
      path: join(folder, 'guide.gguf'),
      name: 'Example 2',
      reply: words.reply,
    });
    const adapter = await buildTinyAdapter(join(folder, 'adapter.gguf'));
    const { id: adapterId } = await client.models.add({ path: adapter });
    await client.models.rename({ modelId: adapterId, name: words.adapter });
    const { id: conversationId } = await client.conversations.create({ title: words.title, modelId });
    for (const text of [words.asked, words.edited]) {
      await client.chat.send({ conversationId, parentId: null, text, attachments: [] });
      await replyFinished(shell);
    }
    await page.setViewportSize(guide);
    await show(`/chat/${conversationId}`);
    await page.getByRole('article').last().waitFor();
    await picture(page, `guide-${language}-chat`, { hovered: page.getByText(words.edited) });

    await page.keyboard.press('Control+k');
    await page.keyboard.type(words.search);
    await page.getByRole('dialog').getByText(words.search).first().waitFor();
    await picture(page, `guide-${language}-search`);
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: /^(Model|모델): / }).click();
    await page.getByRole('checkbox', { name: words.adapter }).check();
    await page.getByRole('slider').waitFor();
    await picture(page, `guide-${language}-adapters`);
  },
};

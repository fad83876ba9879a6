import type { Scene } from './stage.ts';

/** Models that are recommended for the machine. */
export const models: Scene = {
  names: { en: ['models-light'], ko: ['models-korean'] },
  async take({ language, page, picture, show }) {
    await show('/models/discover');
    const get = page.getByRole('button', { name: /^Get |받기/ });
    await get.first().waitFor();
    await picture(page, language === 'ko' ? 'models-korean' : 'models-light');
  },
};

/** Puna itself as a server, as another one of it would see it. */
export const servers: Scene = {
  names: { en: ['servers-light'], ko: ['servers-korean'] },
  async take({ language, shell: { client, api }, page, picture, show }) {
    if (!api) throw new Error('The API is not open.');
    const name = language === 'ko' ? '작업실 컴퓨터' : 'Workshop';
    await client.servers.add({ name, address: api.address, key: api.key });
    await show('/');
    const picker = page.getByRole('button', { name: /^(Model|모델): / });
    await picker.click();
    await page
      .getByRole('group', { name: new RegExp(`^${name}`) })
      .getByRole('button', { name: 'Example', exact: true })
      .click();
    await picker.click();
    await picture(page, language === 'ko' ? 'servers-korean' : 'servers-light');
  },
};

import { guide, type Scene } from './stage.ts';

/** For the guide: the settings that say where everything lies. */
export const settings: Scene = {
  names: { en: ['guide-en-settings'], ko: ['guide-ko-settings'] },
  async take({ language, shell: { dataFolder }, page, picture, show }) {
    await page.setViewportSize(guide);
    await show('/settings');
    const section = page.locator('section', {
      has: page.getByRole('heading', { name: /^(Data folder|데이터 폴더)$/ }),
    });
    await section.getByText(/[kM]B/i).first().waitFor();
    // Where it lies on a person's machine, and not in the temporary folder of this picture.
    await section.getByText(dataFolder, { exact: true }).evaluate((place) => {
      place.textContent = '/home/mina/.local/share/Puna';
    });
    await picture(page, `guide-${language}-settings`, { part: section });
  },
};

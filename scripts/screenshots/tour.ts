import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { startShell, temporaryFolder } from '../../tests/support/shell.ts';

/** As long as a busy machine takes to teach the starter model. */
const patience = { timeout: 120_000 };

const words = {
  en: { tour: 'Tour', begin: 'Take the tour', skip: 'Skip this' },
  ko: { tour: '둘러보기', begin: '둘러보기', skip: '건너뛰기' },
};

/** What is taken on the way, in each language. */
export const tourPictures = {
  en: ['welcome-light', 'tour-teach-light', 'tour-compare-dark', 'tour-delta-light', 'tour-narrow'],
  ko: ['welcome-korean', 'tour-korean'],
};

interface TourPictureOptions {
  browser: Browser;
  /** The folder of what comes with Puna. */
  resources: string;
  language: 'en' | 'ko';
  picture: (page: Page, name: string) => Promise<void>;
}

/** Walks the tour with the model that comes with Puna, and takes pictures on the way. */
export async function takeTourPictures({
  browser,
  resources,
  language,
  picture,
}: TourPictureOptions): Promise<void> {
  const { folder, remove } = await temporaryFolder();
  const shell = await startShell({ dataFolder: join(folder, 'data'), built: true, resources });
  await shell.client.settings.update({ language, automaticTitles: false });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: language,
    colorScheme: 'light',
  });
  const page = await context.newPage();
  await page.goto(shell.link);
  const { tour: name, begin, skip } = words[language];
  const offer = page.getByRole('main').getByRole('button', { name: begin, exact: true });
  await offer.waitFor(patience);
  if (language === 'en') await picture(page, 'welcome-light');
  else await picture(page, 'welcome-korean');
  await offer.click();

  const tour = page.getByRole('complementary', { name });
  const act = async () => {
    const done = await doneIn(tour).count();
    await tour.locator('.primary').click(patience);
    await doneIn(tour).nth(done).waitFor(patience);
  };
  const turn = async (button: Locator, step: number) => {
    await button.click();
    await tour.getByText(new RegExp(`${step} of 5|5단계 중 ${step}단계`)).waitFor();
  };
  const next = (step: number) => turn(tour.locator('.primary'), step);

  await act();
  await act();
  await next(2);
  await act();
  await act();
  if (language === 'ko') await picture(page, 'tour-korean');
  else await picture(page, 'tour-teach-light');
  await next(3);
  await act();
  if (language === 'en') {
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, 'tour-compare-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await turn(tour.getByRole('button', { name: skip }), 4);
    await act();
    await act();
    await picture(page, 'tour-delta-light');
    await page.setViewportSize({ width: 360, height: 740 });
    await act();
    await picture(page, 'tour-narrow');
  }
  await context.close();
  await shell.stop();
  await remove();
}

/** What of the station in view is done. */
function doneIn(tour: Locator): Locator {
  return tour.getByRole('listitem').getByText(/: (Done|끝남)$/);
}

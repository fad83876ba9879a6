import { mkdir } from 'node:fs/promises';
import { matchesGlob, resolve } from 'node:path';
import { launchBrowser } from '../tests/browser/browser.ts';
import { chat, chatGuide } from './screenshots/chat.ts';
import { models, servers } from './screenshots/models.ts';
import { settings } from './screenshots/settings.ts';
import { picturesOf, take, target } from './screenshots/stage.ts';
import { data, teach } from './screenshots/teach.ts';
import { takeTourPictures, tourPictures } from './screenshots/tour.ts';
import { weights } from './screenshots/weights.ts';
import { languages } from './screenshots/words.ts';

/**
 * Takes the pictures of docs/screenshots from the built app, so that they show what there is; of all, or of those that are named
 * (`*` stands for any part of a name):
 *
 *     npm run screenshots
 *     npm run screenshots -- chat-light 'guide-ko-*'
 */
const scenes = [chat, chatGuide, weights, models, servers, teach, data, settings];

const patterns = process.argv.slice(2);
const known = languages.flatMap((language) => [
  ...scenes.flatMap(({ names }) => names[language]),
  ...tourPictures[language],
]);
const named = (pattern: string) => known.filter((name) => matchesGlob(name, pattern));
const unknown = patterns.filter((pattern) => named(pattern).length === 0);
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: there are ${known.join(', ')}`);

const wanted = new Set(patterns.length > 0 ? patterns.flatMap(named) : known);
const picture = picturesOf((name) => wanted.has(name));
await mkdir(target, { recursive: true });
const browser = await launchBrowser();
for (const language of languages) {
  for (const scene of scenes) {
    if (scene.names[language].some((name) => wanted.has(name)))
      await take(scene, { browser, language, picture });
  }
  if (tourPictures[language].some((name) => wanted.has(name))) {
    await takeTourPictures({ browser, resources: resolve('resources'), language, picture });
  }
}
await browser.close();

import { AxeBuilder } from '@axe-core/playwright';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildScriptedModel } from '../support/models.ts';
import { startOpenAiServer } from '../support/openai-server.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser } from './browser.ts';

/** As many as large services offer, of which a person wants one. */
const manyModels = Array.from({ length: 240 }, (_, index) => `vendor/model-${index}`);

/** A server with hundreds of models, which also is the way out to the network: whatever is outside is answered here. */
async function startOutside(): Promise<{ url: string; asked: string[]; server: Server }> {
  const asked: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(request.url ?? '');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ object: 'list', data: manyModels.map((id) => ({ id, object: 'model' })) }));
  };
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, server };
}

describe.skipIf(!findBrowser())('models of other servers', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  /** Puna itself, as a server for another one. */
  let workshop: Shell;
  let api: { address: string; key: string };
  let outside: Awaited<ReturnType<typeof startOutside>>;
  let shell: Shell;
  let page: Page;
  let count = 0;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    browser = await launchBrowser();
    workshop = await startShell({ dataFolder: join(folder, 'workshop'), built: true, api: true });
    if (!workshop.api) throw new Error('The workshop does not offer its models.');
    ({ api } = workshop);
    const path = await buildScriptedModel(join(folder, 'golden.gguf'), { reply: 'Golden grass.' });
    await workshop.client.models.add({ path });
    outside = await startOutside();
  });
  afterAll(async () => {
    await browser.close();
    await workshop.stop();
    outside.server.close();
    await removeFolder();
  });
  beforeEach(async () => {
    Object.assign(process.env, { HTTP_PROXY: outside.url, NO_PROXY: '127.0.0.1' });
    shell = await startShell({ dataFolder: join(folder, `data-${++count}`), built: true });
    delete process.env['HTTP_PROXY'];
    delete process.env['NO_PROXY'];
    await shell.client.settings.update({ automaticTitles: false });
    page = await visit();
  });
  afterEach(async () => {
    await page.context().close();
    await shell.stop();
  });

  async function visit(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
    const opened = await context.newPage();
    await opened.goto(shell.link);
    return opened;
  }

  const open = (address: string) => page.goto(`http://127.0.0.1:${shell.port}/${address}`);
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const dialog = () => page.getByRole('dialog');
  const field = (name: string) => dialog().getByRole('textbox', { name });
  const host = () => new URL(api.address).host;
  const destination = () => button(/^Your messages/);
  const addWorkshop = () =>
    shell.client.servers.add({ name: 'Workshop', address: api.address, key: api.key });
  const addLocalModel = async () => {
    const path = await buildScriptedModel(join(folder, 'local.gguf'), { reply: 'Local grass.' });
    return shell.client.models.add({ path });
  };
  async function noFindings(): Promise<void> {
    const { violations } = await new AxeBuilder({ page }).disableRules('region').analyze();
    expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ target }) => target.join(' '))])).toEqual(
      [],
    );
  }

  test('answer in a conversation that says all the time where its words go', async () => {
    await button('Add a server').click();
    await button('Fill in the address of Ollama on this computer').click();
    expect(await field('Address').inputValue()).toBe('http://127.0.0.1:11434/v1');
    expect(await field('Name').inputValue()).toBe('Ollama');
    await field('Name').fill('Workshop');
    await field('Address').fill(api.address);
    await dialog().getByLabel('Key').fill('sk-wrong');
    await noFindings();
    await page.keyboard.press('Enter');
    await dialog().getByRole('alert').getByText('does not accept the key').waitFor();
    expect(await shell.client.servers.list()).toEqual([]);
    await dialog().getByLabel('Key').fill(api.key);
    await button('Ask and add').click();
    await dialog().waitFor({ state: 'detached' });

    const card = page.getByRole('listitem', { name: 'Workshop' });
    await card.getByText('Another program on this computer').waitFor();
    await card.getByText('1 model in your list').waitFor();
    expect(await page.content()).not.toContain(api.key);
    await noFindings();
    await card.getByRole('button', { name: 'Chat with golden' }).click();

    const words = `Your messages go to Workshop (${host()}), another program on this computer.`;
    await button(words).waitFor();
    await button('Model: golden, on Workshop').waitFor();
    expect(await page.getByText('Whatever you write stays on this computer.').count()).toBe(0);
    await page.getByRole('textbox', { name: 'Message' }).fill('Which grass?');
    await page.keyboard.press('Enter');
    await page.getByRole('article').getByText('Golden grass.').waitFor();
    await replyFinished(shell);
    await page.getByRole('article').getByText('golden, on Workshop').waitFor();
    await noFindings();
    await page.reload();
    await button(words).click();
    await page.getByRole('dialog', { name: 'Where your messages go' }).getByText('system prompt').waitFor();
  });

  test('stand below those of this computer, and are chosen with the keyboard', async () => {
    await addLocalModel();
    await addWorkshop();
    await page.getByText('Whatever you write stays on this computer.').waitFor();
    expect(await destination().count()).toBe(0);
    await button('Model: local').focus();
    await page.keyboard.press('Enter');
    const group = page.getByRole('group', { name: /^Workshop: Not run by Puna/ });
    await group.getByText('Not run by Puna: another program on this computer').waitFor();
    await button(/^local/).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await destination().waitFor();
    // Nothing was loaded here for it.
    expect((await shell.client.system.state()).engine.modelId).toBe(null);
    await button('Model: golden, on Workshop').click();
    await page.getByText('adapters, context and memory are up to the server').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('textbox', { name: 'Message' }).fill('Which grass?');
    await page.keyboard.press('Enter');
    await page.getByRole('article').getByText('Golden grass.').waitFor();
    // The next conversation begins on this computer again.
    await button('New chat').click();
    await button('Model: local').waitFor();
    expect(await destination().count()).toBe(0);
    await open('#/models');
    await page.getByRole('region', { name: 'On other servers' }).getByText('Workshop').waitFor();
    await page.getByRole('link', { name: 'Other servers', exact: true }).click();
    await page.getByRole('listitem', { name: 'Workshop' }).waitFor();
  });

  test('outside of the network carry a warning, and are chosen one by one where there are many', async () => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('add a server');
    await page.keyboard.press('Enter');
    await field('Address').fill('http://api.models.example/v1');
    await dialog().getByText('This address has no encryption').waitFor();
    await field('Name').fill('Far away');
    await button('Ask and add').click();
    await page.getByRole('heading', { name: 'Models of Far away' }).waitFor();
    expect(outside.asked.at(-1)).toBe('http://api.models.example/v1/models');
    expect(await dialog().getByRole('checkbox').count()).toBe(200);
    await dialog().getByRole('searchbox').fill('model-239');
    await dialog().getByRole('checkbox', { name: 'vendor/model-239' }).check();
    await noFindings();
    await button('Save').click();
    const card = page.getByRole('listitem', { name: 'Far away' });
    await card.getByText('1 of 240 models in your list').waitFor();
    await card.getByText('Outside of your network').waitFor();
    expect((await shell.client.system.state()).models.map(({ name }) => name)).toEqual(['vendor/model-239']);
    await card.getByRole('button', { name: 'Chat with vendor/model-239' }).click();
    await button('Your messages leave your network: they go to Far away (api.models.example).').waitFor();
    await noFindings();
  });

  test('that cannot be reached say so, and are not added', async () => {
    const { address, host: there, close } = await startOpenAiServer();
    await shell.client.servers.add({ name: 'Shed', address, key: null });
    await close();
    await open('#/models/servers');
    const card = page.getByRole('listitem', { name: 'Shed' });
    await card.getByRole('button', { name: 'Ask Shed again for its models' }).click();
    await card.getByText('Not reached').waitFor();
    await card.getByText(`No server answers at ${there}.`).waitFor();
    await shell.client.settings.update({ language: 'ko' });
    await card.getByText('인터넷 연결과 주소를 확인하고 다시 시도해 주세요.').waitFor();
    expect(await card.getByText(`No server answers at ${there}.`).isVisible()).toBe(false);
    await shell.client.settings.update({ language: 'en' });
    await noFindings();
    await button('Add a server').click();
    await field('Address').fill(address);
    await field('Name').fill('Shed once more');
    await button('Ask and add').click();
    await dialog().getByRole('alert').getByText('No server answers').waitFor();
    expect((await shell.client.servers.list()).map(({ name }) => name)).toEqual(['Shed']);
    await page.keyboard.press('Escape');

    await card.getByRole('button', { name: 'Chat with llama' }).click();
    await page.getByRole('textbox', { name: 'Message' }).fill('Are you there?');
    await page.keyboard.press('Enter');
    const failed = page.getByRole('group', { name: 'This reply failed.' });
    await failed.getByText(`No server answers at ${there}.`).waitFor();
    await failed.getByRole('button', { name: 'Try again' }).waitFor();
  });

  test('are not added when a person has left before they answer', async () => {
    const slow = await startOpenAiServer();
    const asked = Promise.withResolvers<undefined>();
    const left = Promise.withResolvers<undefined>();
    slow.answers.models = (response) => {
      response.on('close', () => left.resolve(undefined));
      asked.resolve(undefined);
    };
    await button('Add a server').click();
    await field('Address').fill(slow.address);
    await field('Name').fill('Slow');
    await button('Ask and add').click();
    await asked.promise;
    expect(await button(`Asking ${slow.host}`).isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await left.promise;
    expect(await shell.client.servers.list()).toEqual([]);
    await slow.close();
  });

  test('can be renamed and taken away; conversations stay, and their words with them', async () => {
    await addLocalModel();
    const { id: serverId, models } = await addWorkshop();
    const { id: conversationId } = await shell.client.conversations.create({
      modelId: models[0]?.modelId ?? null,
    });
    await open('#/models/servers');
    await button('Options for Workshop').click();
    await page.getByRole('menuitem', { name: 'Change' }).click();
    await field('Name').fill('Attic');
    await dialog().getByText('A key is kept.').waitFor();
    await button('Save').click();
    await page.getByRole('listitem', { name: 'Attic' }).getByText('with a key').waitFor();
    expect((await shell.client.servers.refresh({ serverId })).state).toBe('reached');
    await open(`#/chat/${conversationId}`);
    await button(`Your messages go to Attic (${host()}), another program on this computer.`).waitFor();

    await open('#/models/servers');
    await button('Options for Attic').click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByRole('heading', { name: 'Remove Attic?' }).waitFor();
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    expect(await shell.client.servers.list()).toHaveLength(1);
    await button('Options for Attic').click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('heading', { name: 'Talk with a model on another server' }).waitFor();
    expect(await shell.client.servers.list()).toEqual([]);
    await open(`#/chat/${conversationId}`);
    await button('Model: local').waitFor();
    expect(await destination().count()).toBe(0);
  });

  test('are told in each window as those that answer, and each reply says who has written it', async () => {
    await addLocalModel();
    const { models } = await addWorkshop();
    const { id } = await shell.client.conversations.create({ modelId: models[0]?.modelId ?? null });
    const first = page;
    const second = await visit();
    for (const window of [first, second]) await window.goto(`http://127.0.0.1:${shell.port}/#/chat/${id}`);
    const say = async (window: Page, text: string, reply: string) => {
      await window.getByRole('textbox', { name: 'Message' }).fill(text);
      await window.keyboard.press('Enter');
      for (const each of [first, second]) await each.getByText(reply).waitFor();
      await replyFinished(shell);
    };
    await say(first, 'Which grass?', 'Golden grass.');
    await second.getByRole('button', { name: 'Model: golden, on Workshop' }).click();
    await second.getByRole('button', { name: /^local/ }).click();
    // What the other one was told of where words go is no longer so.
    await destination().waitFor({ state: 'detached' });
    await first.getByRole('button', { name: 'Model: local' }).waitFor();
    await say(first, 'And here?', 'Local grass.');
    for (const window of [first, second]) {
      expect(await window.getByText('golden, on Workshop', { exact: true }).count()).toBe(1);
      expect(await window.getByText(/, on Workshop$/).count()).toBe(1);
    }
    await second.context().close();
  });

  test('on another host have their key only where the person says so', async () => {
    await addWorkshop();
    await open('#/models/servers');
    const change = async (address: string) => {
      await button('Options for Workshop').click();
      await page.getByRole('menuitem', { name: 'Change' }).click();
      await field('Address').fill(address);
    };
    const other = api.address.replace('127.0.0.1', 'localhost');
    const there = new URL(other).host;
    await change(other);
    const asks = dialog().getByRole('group', { name: `was given for ${host()}. May ${there} have it, too?` });
    await asks.waitFor();
    await noFindings();
    await button('Ask and change').click();
    // It waits for an answer, which nothing here has given.
    expect(await asks.getByRole('radio', { checked: true }).count()).toBe(0);
    expect(await shell.client.servers.list()).toMatchObject([{ address: api.address, hasKey: true }]);
    await asks.getByRole('radio', { name: `Send it to ${there}, too` }).check();
    // What was said of one host is not said of the next one that is typed.
    await field('Address').fill('http://127.0.0.2/v1');
    expect(await dialog().getByRole('radio', { checked: true }).count()).toBe(0);
    await field('Address').fill(other);
    expect(await asks.getByRole('radio', { checked: true }).count()).toBe(1);
    await button('Ask and change').click();
    await dialog().waitFor({ state: 'detached' });
    expect(await shell.client.servers.list()).toMatchObject([
      { address: other, hasKey: true, state: 'reached' },
    ]);
    // Without it, the server says no; nothing is changed.
    await change(api.address);
    await dialog().getByRole('radio', { name: 'Do not send it, and forget it' }).check();
    await button('Ask and change').click();
    await dialog().getByRole('alert').waitFor();
    expect(await shell.client.servers.list()).toMatchObject([{ address: other, hasKey: true }]);
  });

  test('that move out of the network say before what will be sent where', async () => {
    const { address, close, host: before } = await startOpenAiServer();
    const { id: serverId, models } = await shell.client.servers.add({ name: 'Shed', address, key: null });
    const { id } = await shell.client.conversations.create({ modelId: models[0]?.modelId ?? null });
    await close();
    await open('#/models/servers');
    await button('Options for Shed').click();
    await page.getByRole('menuitem', { name: 'Change' }).click();
    const sent = dialog().getByRole('region', { name: 'What is sent there' });
    await sent.getByText('Another program on this computer').waitFor();
    await sent.getByText(/^Later: a conversation/).waitFor();
    await field('Address').fill('http://api.models.example/v1');
    await sent.getByText('Outside of your network').waitFor();
    await sent
      .getByRole('status')
      .getByText(
        `each conversation that has a model of this server goes to api.models.example instead of ${before}`,
      )
      .waitFor();
    await dialog().getByText('This address has no encryption').waitFor();
    await noFindings();
    const asked = outside.asked.length;
    await button('Ask and change').click();
    await dialog().waitFor({ state: 'detached' });
    expect(outside.asked.slice(asked)).toEqual(['http://api.models.example/v1/models']);
    await open(`#/chat/${id}`);
    await button('Your messages leave your network: they go to Shed (api.models.example).').waitFor();
    expect(await shell.client.servers.list()).toMatchObject([{ id: serverId, place: 'elsewhere' }]);
  });

  test('have a name and tags of a person’s own, as those of this computer', async () => {
    await addWorkshop();
    await open('#/models/servers');
    const card = page.getByRole('listitem', { name: 'Workshop' });
    await button('Options for golden').click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Meadow');
    await page.keyboard.press('Enter');
    const row = card.getByRole('listitem', { name: 'Meadow' });
    await row.getByText('on the server: golden').waitFor();
    await button('Options for Meadow').click();
    await page.getByRole('menuitem', { name: 'Tags' }).click();
    await row.getByRole('combobox', { name: 'New tag' }).fill('grass');
    await page.keyboard.press('Enter');
    await row.getByRole('button', { name: 'Done' }).click();
    await row.getByRole('list').getByText('grass').waitFor();
    await noFindings();
    expect((await shell.client.system.state()).models).toMatchObject([{ name: 'Meadow', tags: ['grass'] }]);
    await row.getByRole('button', { name: 'Chat with Meadow' }).click();
    await button('Model: Meadow, on Workshop').waitFor();
  });

  test('are offered where there is no model on this computer, in Korean and on a small screen', async () => {
    await addWorkshop();
    await shell.client.settings.update({ language: 'ko' });
    await page.setViewportSize({ width: 360, height: 740 });
    await open('#/models/servers');
    await page.getByRole('listitem', { name: 'Workshop' }).getByText('이 컴퓨터의 다른 프로그램').waitFor();
    await noFindings();
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(360);
    await open('#/');
    await page.getByRole('region', { name: '다른 서버의 모델과 이야기해도 돼요' }).waitFor();
    await button('golden').click();
    await button(`메시지는 이 컴퓨터의 다른 프로그램 Workshop(${host()})에 보내요.`).waitFor();
    await noFindings();
  });
});

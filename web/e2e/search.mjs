// Looking for what was said: everywhere and in one chat, by keyboard, and opening
// the chat where it was said.
import assert from 'node:assert/strict';
import { KithNode, together, until } from './node.mjs';
import { shooter } from './screens.mjs';

export function search(browser, pictures) {
  const ann = new KithNode('Ann');
  const ben = new KithNode('Ben');
  const nodes = [ann, ben];
  const title = 'Harbour crew';
  const take = shooter(browser);
  const shoot = async (name) => {
    if (pictures) await take(name, ann.page);
    await ann.page.setViewportSize({ width: 1440, height: 900 });
  };
  let group = '';

  const field = () => ann.page.getByRole('searchbox', { name: 'Search', exact: true });
  const inside = () => ann.page.getByRole('searchbox', { name: `Search in ${title}` });
  const list = () => ann.page.locator('.list');
  const side = () => ann.page.locator('section.side');
  const log = () => ann.page.getByRole('log');
  const say = (node, text, chat = group) => node.call('Send', { chat, text, clientId: crypto.randomUUID() });
  const inView = (text) => log().getByText(text, { exact: true }).first().evaluate((el) => {
    const box = el.getBoundingClientRect();
    const view = el.closest('[role=log]').getBoundingClientRect();
    return box.top >= view.top && box.bottom <= view.bottom;
  });

  async function access(screen) {
    assert.deepEqual(await browser.checkAccess(ann.page, screen), []);
    await ann.page.setViewportSize({ width: 360, height: 740 });
    await ann.page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await browser.checkAccess(ann.page, `${screen}, phone`), []);
    await ann.page.emulateMedia({ colorScheme: 'light' });
    await ann.page.setViewportSize({ width: 1440, height: 900 });
  }

  const steps = {
    'two nodes with a long conversation': async () => {
      group = await together(ann, ben, title);
      await say(ben, 'The spare key hangs behind the compass, in the wheelhouse.');
      await say(ann, 'Merci! Un café au port, then the compass?');
      for (let i = 0; i < 300; i++) await say(i % 3 === 0 ? ben : ann, `Crossing ${i}: wind from the west, all aboard.`);
      await say(ben, 'Who has the spare key?');
      await until('Ann has it all', async () => ((await ann.call('ListMessages', { chat: group, limit: 500 })).messages ?? []).length === 303);
      const { notesChatId } = await ann.call('GetNode');
      await say(ann, 'Order a new compass card before the Harbour festival', notesChatId);
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      await ann.page.goto(ann.login);
      await ann.page.getByRole('heading', { name: 'Chats' }).waitFor();
    },

    'a word finds messages of all chats, marked, and chats by name': async () => {
      await ann.page.keyboard.press('/');
      await ann.page.keyboard.type('harb');
      await list().getByRole('heading', { name: 'Messages' }).waitFor();
      await list().getByRole('link').filter({ hasText: title }).first().waitFor();
      await field().fill('compass');
      await list().locator('mark', { hasText: 'compass' }).nth(2).waitFor();
      assert.equal(await list().locator('mark').count(), 3);
      await access('found everywhere');
      await shoot('search');
    },

    'an edited message is found by what it says now, and marked there': async () => {
      const { id } = await say(ann, 'Paint the hull grene before Sunday.');
      await field().fill('grene');
      await list().locator('mark', { hasText: 'grene' }).waitFor();
      await ann.call('EditMessage', { chat: group, message: id, text: 'Paint the hull green before Sunday.' });
      await field().fill('hull green');
      await list().locator('mark', { hasText: 'green' }).waitFor();
      await field().fill('grene');
      await list().getByText('Nothing found.').waitFor();
      await field().fill('compass');
      await list().locator('mark', { hasText: 'compass' }).nth(2).waitFor();
    },

    'by the keyboard alone it opens the chat there, marks it, and the rest is loaded around it': async () => {
      await ann.page.keyboard.press('Escape');
      assert.equal(await field().inputValue(), '');
      await ann.page.keyboard.type('"spare key" hang');
      await list().locator('mark', { hasText: 'spare key' }).first().waitFor();
      await ann.page.keyboard.press('ArrowDown');
      await ann.page.keyboard.press('Enter');
      await log().getByText('The spare key hangs behind the compass, in the wheelhouse.').waitFor();
      await log().locator('.marked').getByText('The spare key hangs').waitFor();
      assert.match(ann.page.url(), /#\/chats\/[0-9a-f]{64}\/at\/[0-9a-f.]+$/);
      assert.ok(await inView('The spare key hangs behind the compass, in the wheelhouse.'));
      assert.equal(await ann.page.getByText('Who has the spare key?', { exact: true }).count(), 0, 'the newest is not loaded');
      await shoot('search-jump');
      await log().locator('.marked').waitFor({ state: 'detached' });
    },

    'what follows comes by scrolling, and one click goes back to the newest': async () => {
      await log().evaluate((el) => el.scrollTo(0, el.scrollHeight));
      await until('later messages are there', async () => (await log().getByText(/^Crossing (6|7|8|9|1\d)\d: /).count()) > 0);
      await say(ben, 'All fast. Good night.');
      await ann.page.getByRole('button', { name: /new below$|^To the newest$/ }).click();
      await log().getByText('All fast. Good night.').waitFor();
      assert.ok(await inView('All fast. Good night.'));
    },

    'within a chat, beside it, also by whom': async () => {
      await ann.page.keyboard.press('Control+Shift+F');
      await inside().waitFor();
      await inside().fill('cafe');
      await side().locator('mark', { hasText: 'café' }).waitFor();
      await inside().fill('crossing 12');
      await side().getByRole('heading', { name: '11 messages' }).waitFor();
      await ann.page.locator('section.side').getByRole('button', { name: 'By whom, what and when' }).click();
      await side().getByRole('combobox', { name: 'From' }).selectOption({ label: 'Ben' });
      await side().getByRole('heading', { name: /^5 messages$/ }).waitFor();
      await access('found in a chat');
      await shoot('search-chat');
      await side().getByRole('link').filter({ hasText: 'Crossing 12:' }).click();
      await log().getByText('Crossing 12: wind from the west, all aboard.').waitFor();
      assert.ok(await inView('Crossing 12: wind from the west, all aboard.'));
      await inside().waitFor(); // the drawer stays on a wide screen
      await side().getByRole('link').filter({ hasText: 'Crossing 126:' }).click();
      await log().locator('.marked').getByText('Crossing 126:').waitFor();
    },

    'what was found at the end opens there, and nothing is below': async () => {
      await inside().fill('good night');
      await side().getByRole('heading', { name: '1 message', exact: true }).waitFor();
      await side().getByRole('link').filter({ hasText: 'Good night.' }).click();
      await log().locator('.marked').getByText('All fast. Good night.').waitFor();
      assert.ok(await inView('All fast. Good night.'));
      await shoot('search-jump-end');
      await until('it is the end', async () => (await ann.page.getByRole('button', { name: 'To the newest' }).count()) === 0);
      await inside().fill('crossing 12');
      await side().getByRole('heading', { name: /^5 messages$/ }).waitFor();
    },

    'on a phone it covers the chat, and back leads back to what was found': async () => {
      await ann.page.setViewportSize({ width: 360, height: 740 });
      await side().getByRole('link').filter({ hasText: 'Crossing 129:' }).click();
      await log().locator('.marked').getByText('Crossing 129:').waitFor();
      assert.equal(await side().count(), 0);
      await ann.page.goBack();
      await side().getByRole('link').filter({ hasText: 'Crossing 129:' }).waitFor();
      assert.equal(await inside().inputValue(), 'crossing 12');
      await ann.page.getByRole('link', { name: 'Close' }).click();
      await ann.page.setViewportSize({ width: 1440, height: 900 });
    },

    'a chat that is opened at a place is so after a reload, too': async () => {
      const hit = (await ann.call('Search', { text: 'wheelhouse' })).found[0].message;
      await ann.page.goto(`${ann.page.url().split('#')[0]}#/chats/${group}/at/${hit.cursor}`);
      await ann.page.reload();
      await log().getByText('The spare key hangs behind the compass, in the wheelhouse.').waitFor();
      assert.ok(await inView('The spare key hangs behind the compass, in the wheelhouse.'));
    },

    'nothing found, and what is no word, are said': async () => {
      await field().fill('xylophone');
      await list().getByText('Nothing found.').waitFor();
      await field().fill('!!!');
      await list().getByText('There is no word in this to look for.', { exact: false }).waitFor();
      await access('nothing found');
      await shoot('search-nothing');
      await field().fill('');
      await list().getByRole('link').filter({ hasText: title }).waitFor();
    },
  };

  return { steps, nodes };
}

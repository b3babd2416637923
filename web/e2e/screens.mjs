// Pictures of every screen in three widths and two themes, of real nodes with
// a short true conversation, for whoever changes the page to look at.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accept, befriend, KithNode, until } from './node.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'screenshots');
const sizes = [
  { width: 360, height: 740 },
  { width: 900, height: 720 },
  { width: 1440, height: 900 },
];

/** shooter gives what takes the pictures of a page, and runs axe on each; again is done before each, for what passes. */
export function shooter(browser) {
  mkdirSync(folder, { recursive: true });
  return async (name, page, again = async () => undefined) => {
    const wrong = [];
    const taken = [];
    for (const size of sizes) {
      await page.setViewportSize(size);
      for (const theme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme: theme });
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        await again();
        const path = join(folder, `${name}-${size.width}-${theme}.png`);
        await page.screenshot({ path });
        taken.push(path);
        wrong.push(...(await browser.checkAccess(page, `${name} ${size.width} ${theme}`)));
      }
    }
    await page.emulateMedia({ colorScheme: 'light' });
    // Fewer colours make a third of the bytes; where there is no ImageMagick they stay as they are.
    spawnSync('mogrify', ['-colors', '160', '+dither', '-strip', ...taken], { stdio: 'ignore' });
    assert.deepEqual(wrong, []);
  };
}

export function screens(browser) {
  const [ann, ben, cleo, dan, eli] = ['Ann', 'Ben', 'Cleo', 'Dan', 'Eli'].map((name) => new KithNode(name));
  const nodes = [ann, ben, cleo, dan, eli];
  const title = 'Harbour crew';
  let group = '';
  let login = '';

  const go = async (fragment) => ann.page.evaluate((to) => (location.hash = to), `#/${fragment}`);
  const button = (name) => ann.page.getByRole('button', { name }).click();
  const escape = async () => {
    await ann.page.keyboard.press('Escape');
    await ann.page.getByRole('dialog').waitFor({ state: 'detached' });
  };

  const take = shooter(browser);
  const shoot = (name, page = ann.page) => take(name, page);

  async function enter(node) {
    node.login = await node.start();
    await node.call('Setup', { name: node.name });
  }

  async function say(node, text, chat = group) {
    const sent = await node.call('Send', { chat, text, clientId: crypto.randomUUID() });
    for (const other of [ann, ben, cleo]) {
      if (other === node) continue;
      await until(`${other.name} has “${text}”`, async () => ((await other.call('ListMessages', { chat, limit: 50 })).messages ?? []).some((m) => m.text === text));
    }
    return sent;
  }

  const steps = {
    'welcome, locked, expired': async () => {
      login = await ann.start();
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      await ann.page.goto(login);
      await ann.page.getByRole('heading', { name: 'Welcome to Kith' }).waitFor();
      await shoot('welcome');
      const other = await (await browser.person()).newPage();
      await other.goto(login);
      await other.getByRole('heading', { name: 'This link was used or is too old.' }).waitFor();
      await shoot('expired', other);
      await other.goto('about:blank');
      await other.goto(ann.address);
      await other.getByRole('heading', { name: 'This page is locked.' }).waitFor();
      await shoot('locked', other);
      await other.context().close();
      await ann.page.getByRole('textbox').fill('Ann');
      await ann.page.keyboard.press('Enter');
    },

    'nobody here yet': async () => {
      await ann.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await shoot('empty');
    },

    'my link': async () => {
      await go('people/meet');
      await ann.page.getByRole('img', { name: 'Your contact link as a QR code' }).waitFor();
      await shoot('meet');
    },

    'people, with a request': async () => {
      await Promise.all([ben, cleo, dan, eli].map(enter));
      for (const friend of [ben, cleo, dan]) await befriend(ann, friend);
      const { link } = await ann.call('NewContactLink');
      await eli.call('AddFriend', { link });
      await go('people');
      await ann.page.getByRole('heading', { name: 'Want to be your friend' }).waitFor();
      await shoot('people');
    },

    'a conversation': async () => {
      await go('chats');
      const person = async (name) => ((await ann.call('ListFriends')).friends ?? []).find((f) => f.person.name === name).person.id;
      group = (await ann.call('CreateGroup', { title, persons: [await person('Ben'), await person('Cleo')] })).id;
      await accept(ben, title);
      await accept(cleo, title);
      await until('all three are in', async () => ((await ann.call('GetChat', { chat: group })).members ?? []).filter((m) => m.accepted).length === 3);
      const { notesChatId } = await ann.call('GetNode');
      await ann.call('Send', { chat: notesChatId, text: 'Ask Cleo for the spare key of the boathouse', clientId: crypto.randomUUID() });
      await go(`chats/${group}`);
      await ann.page.getByRole('textbox', { name: /^Write to/ }).waitFor();
      await say(ben, 'Morning. The ferry is late again, so the ten o’clock crossing leaves at half past.');
      await say(ann, 'Thanks. Then we load the crates first.');
      await say(ann, 'Cleo, is the crane free until eleven?');
      await say(cleo, 'It is. I moved the inspection to the afternoon.');
      await say(cleo, 'The form is here: https://example.org/harbour/inspection');
      await say(ben, 'Good. I bring coffee ☕');
      await say(ann, 'Two sugars, please. And the long rope: the 12 mm one is still on my boat, I only noticed last night when I was home already.');
      await say(ben, '👍');
      await ann.page.getByText('👍').last().waitFor();
      await until('all have it', async () => (await ann.page.getByRole('button', { name: 'Reached 2 of 2' }).count()) === 3);
      assert.equal(await ann.page.getByText('Kept here.', { exact: false }).count(), 0);
      await shoot('conversation');
    },

    'details, history, a signed record': async () => {
      await go(`chats/${group}/details`);
      await ann.page.getByRole('heading', { name: 'Members' }).waitFor();
      await shoot('details');
      await ann.call('SetRole', { group, person: (await ann.call('GetChat', { chat: group })).members.find((m) => m.person.name === 'Ben').person.id, role: 'ROLE_ADMIN' });
      await go(`chats/${group}/history`);
      await ann.page.locator('.side').getByRole('button', { name: /Ben/ }).first().waitFor();
      await shoot('history');
      await ann.page.locator('.side').getByRole('button').first().click();
      await ann.page.getByRole('dialog').waitFor();
      await shoot('record');
      await escape();
    },

    'dialogs': async () => {
      await go(`chats/${group}`);
      await ann.page.setViewportSize(sizes[2]);
      await ann.page.getByRole('log').getByRole('button', { name: 'Reached 2 of 2' }).last().click();
      await ann.page.getByText('Has it', { exact: true }).first().waitFor();
      await shoot('delivery');
      await escape();
      await ann.page.keyboard.press('Control+k');
      await ann.page.getByRole('dialog').waitFor();
      await shoot('find');
      await escape();
      await ann.page.setViewportSize(sizes[2]);
      await button('New group');
      await ann.page.getByRole('dialog').getByText('Dan', { exact: true }).click();
      await shoot('new-group');
      await escape();
      await go(`chats/${group}/details`);
      await button('Actions for Cleo');
      await ann.page.getByRole('menuitem', { name: 'Remove from the group' }).click();
      await ann.page.getByRole('dialog').waitFor();
      await shoot('remove');
      await escape();
    },

    'an invitation': async () => {
      const benId = (await cleo.call('GetChat', { chat: group })).members.find((m) => m.person.name === 'Ann').person.id;
      await cleo.call('CreateGroup', { title: 'Sunday sailing', persons: [benId] });
      const invited = await until('Ann is invited', async () => ((await ann.call('ListChats')).chats ?? []).find((c) => c.state === 'CHAT_STATE_INVITED'));
      await go(`chats/${invited.id}`);
      await ann.page.getByRole('button', { name: 'Accept' }).waitFor();
      await shoot('invitation');
    },

    'removed': async () => {
      const cleoId = (await ann.call('GetChat', { chat: group })).members.find((m) => m.person.name === 'Cleo').person.id;
      cleo.context = await browser.person();
      cleo.page = await cleo.context.newPage();
      await cleo.page.goto(await cleo.open());
      await cleo.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await cleo.page.evaluate((to) => (location.hash = to), `#/chats/${group}`);
      await cleo.page.getByRole('log').waitFor();
      await ann.call('RemoveMember', { group, person: cleoId });
      await cleo.page.getByRole('heading', { name: 'Ann removed you' }).waitFor();
      await shoot('removed', cleo.page);
    },

    'settings': async () => {
      for (const page of ['me', 'look', 'about']) {
        await go(`settings/${page}`);
        await shoot(`settings-${page}`);
      }
    },

    'offline': async () => {
      await ann.page.setViewportSize(sizes[2]);
      await go(`chats/${group}`);
      await ann.page.getByRole('log').waitFor();
      await ann.kill();
      await ann.page.getByText('Offline, trying again').first().waitFor();
      await ann.page.getByRole('textbox', { name: /^Write to/ }).fill('I am on my way.');
      await ann.page.keyboard.press('Enter');
      await ann.page.getByText('Offline, 1 waiting').first().waitFor();
      await shoot('offline');
    },
  };

  return { steps, nodes };
}

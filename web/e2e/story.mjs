// What people do, in order, each in a window of their own on a node of their
// own. Every step is one promise of the page.
import assert from 'node:assert/strict';
import { accept, befriend, KithNode, until } from './node.mjs';

export function story(browser) {
  const ann = new KithNode('Ann');
  const ben = new KithNode('Ben');
  const cleo = new KithNode('Cleo');
  const dan = new KithNode('Dan');
  const nodes = [ann, ben, cleo, dan];
  const title = 'Harbour crew';
  let annLogin = '';

  async function enter(node) {
    node.context = await browser.person();
    node.page = await node.context.newPage();
    const login = await node.start();
    await node.page.goto(login);
    return login;
  }

  async function welcome(node) {
    const login = await enter(node);
    await node.page.getByRole('textbox', { name: 'What should your friends call you?' }).fill(node.name);
    await node.page.getByRole('button', { name: 'Start' }).click();
    await node.page.getByRole('heading', { name: 'Chats' }).waitFor();
    return login;
  }

  // On a wide light screen and on a dark phone.
  async function access(page, screen) {
    const wide = page.viewportSize();
    const wrong = await browser.checkAccess(page, `${screen}, wide`);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    wrong.push(...(await browser.checkAccess(page, `${screen}, phone`)));
    await page.setViewportSize(wide);
    await page.emulateMedia({ colorScheme: 'light' });
    assert.deepEqual(wrong, []);
  }

  const chatLink = (node, name) => node.page.getByRole('navigation', { name: 'Chats' }).getByRole('link').filter({ has: node.page.locator('.name', { hasText: new RegExp(`^${name}$`) }) });
  const log = (node) => node.page.getByRole('log');
  const tab = (node, name) => node.page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click();

  async function openChat(node, name) {
    await tab(node, 'Chats');
    await chatLink(node, name).click();
  }

  const direct = async (node) => (await node.call('ListChats')).chats.find((c) => c.kind === 'CHAT_KIND_DIRECT').id;

  async function write(node, text) {
    await node.page.getByRole('textbox', { name: /^Write / }).fill(text);
    await node.page.keyboard.press('Enter');
    await log(node).getByText(text, { exact: true }).waitFor();
  }

  async function choose(node, who, item) {
    await node.page.getByRole('button', { name: `Actions for ${who}` }).click();
    await node.page.getByRole('menuitem', { name: item }).click();
  }

  const steps = {
    'a new node asks for a name and then is ready': async () => {
      annLogin = await enter(ann);
      await ann.page.getByRole('heading', { name: 'Welcome to Kith' }).waitFor();
      await access(ann.page, 'welcome');
      await ann.page.getByRole('textbox', { name: 'What should your friends call you?' }).fill('Ann');
      await ann.page.keyboard.press('Enter');
      await ann.page.getByText('Nobody is here yet. Send somebody your link, or try Kith alone.').waitFor();
      assert.ok(!ann.page.url().includes(new URL(annLogin).hash), 'the login code left the address');
      await access(ann.page, 'first chats');
    },

    'notes to self are kept and survive a reload, and so does a draft': async () => {
      await ann.page.getByRole('link', { name: 'Write to yourself' }).click();
      await write(ann, 'Buy rope, 12 mm');
      await ann.page.getByRole('textbox', { name: 'Write a note' }).fill('half a thou');
      await until('the node keeps it', async () => (await ann.call('ListChats')).chats.some((c) => c.draft?.text === 'half a thou'));
      await ann.page.reload();
      await log(ann).getByText('Buy rope, 12 mm').waitFor();
      assert.equal(await ann.page.getByRole('textbox', { name: 'Write a note' }).inputValue(), 'half a thou');
      await ann.page.getByRole('textbox', { name: 'Write a note' }).fill('');
      await access(ann.page, 'notes');
    },

    'a reload right after the last key loses none, and brings back nothing that was sent': async () => {
      const field = ann.page.getByRole('textbox', { name: 'Write a note' });
      await field.pressSequentially('Buy tar');
      await ann.page.reload();
      await field.waitFor();
      assert.equal(await field.inputValue(), 'Buy tar');
      await field.pressSequentially(', two tins');
      await field.press('Enter');
      await ann.page.reload();
      await log(ann).getByText('Buy tar, two tins').waitFor();
      assert.equal(await field.inputValue(), '');
      assert.equal(await log(ann).getByText('Buy tar, two tins').count(), 1);
    },

    'what was sent before the page could keep it outlives the page': async () => {
      const page = await ann.context.newPage();
      await page.addInitScript(() => delete globalThis.SharedWorker); // what a worker of one page asks can be held up
      let held = true;
      for (const verb of ['GetPageKey', 'Send']) await page.route(`**/${verb}`, (route) => (held ? undefined : route.continue()));
      await page.goto(ann.page.url());
      const field = page.getByRole('textbox', { name: 'Write a note' });
      await field.fill('And a brush');
      await field.press('Enter');
      await page.getByRole('log').getByText('And a brush').waitFor();
      held = false;
      await page.close({ runBeforeUnload: true });
      await log(ann).getByText('And a brush').waitFor();
      assert.equal(await log(ann).getByText('And a brush').count(), 1);
    },

    'two people become friends by a link': async () => {
      await welcome(ben);
      await tab(ann, 'People');
      await ann.page.getByRole('link', { name: 'Add a friend' }).click();
      const link = await ann.page.locator('[data-link]').getAttribute('data-link');
      await ann.page.getByRole('img', { name: 'Your contact link as a QR code' }).waitFor();
      await ann.page.getByText('Only this computer reaches you', { exact: false }).waitFor();
      await access(ann.page, 'meet');

      await tab(ben, 'People');
      await ben.page.getByRole('link', { name: 'Add a friend' }).click();
      await ben.page.getByRole('textbox', { name: 'Paste their link' }).fill(link);
      await ben.page.getByRole('button', { name: 'Ask to be friends' }).click();
      await ann.page.getByRole('heading', { name: 'Want to be your friend' }).waitFor();
      await access(ann.page, 'a request');
      await ann.page.getByRole('button', { name: 'Accept' }).click();
      await ann.page.getByRole('heading', { name: 'Friends', exact: true }).waitFor();
      await ben.page.getByRole('heading', { name: 'Friends', exact: true }).waitFor();
      await access(ann.page, 'people');
    },

    'a link that was cut short is refused in plain words': async () => {
      await ben.page.getByRole('textbox', { name: 'Paste their link' }).fill('kith:AAAA');
      await ben.page.getByRole('button', { name: 'Ask to be friends' }).click();
      await ben.page.getByRole('alert').filter({ hasText: /\w+/ }).waitFor();
    },

    'the two write to each other, and the ticks tell the truth': async () => {
      await openChat(ann, 'Ben');
      await write(ann, 'Hello Ben, is the boat in?');
      await openChat(ben, 'Ann');
      await log(ben).getByText('Hello Ben, is the boat in?').waitFor();
      await write(ben, 'Since this morning 🌊');
      await log(ann).getByText('Since this morning').waitFor();
      await log(ann).getByRole('button', { name: 'Reached 1 of 1' }).first().click();
      await ann.page.getByRole('dialog', { name: 'Who has it' }).getByText('Has it', { exact: true }).waitFor();
      await access(ann.page, 'who has it');
      await ann.page.keyboard.press('Escape');
      await access(ann.page, 'a direct chat');
    },

    'text that others wrote is never HTML': async () => {
      await write(ben, '<img src=x onerror=alert(1)> https://example.org/a?b=c');
      await log(ann).getByText('<img src=x onerror=alert(1)>').waitFor();
      assert.equal(await log(ann).locator('img[src]').count(), 0);
      assert.equal(await log(ann).getByRole('link', { name: 'https://example.org/a?b=c' }).getAttribute('rel'), 'noopener noreferrer');
    },

    'text that others wrote moves nothing, and a link says where it leads': async () => {
      await write(ben, 'Plain before.');
      await ben.call('Send', { chat: await direct(ben), text: 'See https://good.example/\u202emoc.live and http://good.example@evil.example/ and https://\u0430pple.example/', clientId: crypto.randomUUID() });
      const bubble = log(ann).locator('.bubble', { hasText: 'moc.live' });
      await bubble.waitFor();
      assert.ok((await bubble.innerText()).startsWith('See https://good.example/\ufffdmoc.live and http://good.example@evil.example/ and https://xn--pple-43d.example/'), await bubble.innerText());
      const links = await bubble.getByRole('link').evaluateAll((list) => list.map((a) => `${a.textContent} ${a.href}`));
      assert.deepEqual(links, ['https://good.example/ https://good.example/', 'https://xn--pple-43d.example/ https://xn--pple-43d.example/']);
      await access(ann.page, 'strange links');
    },

    'a long message is folded, and piled marks stay in their bubble': async () => {
      const chat = await direct(ben);
      await ben.call('Send', { chat, text: `Long: ${'line\n'.repeat(4000)}the end`, clientId: crypto.randomUUID() });
      const bubble = log(ann).locator('.bubble', { hasText: 'Long:' });
      await bubble.getByRole('button', { name: 'Show more' }).waitFor();
      assert.ok((await bubble.boundingBox()).height < 900, 'the long message is not folded');
      assert.equal(await bubble.getByText('the end').count(), 0);
      await access(ann.page, 'folded');
      await bubble.getByRole('button', { name: 'Show more' }).click();
      await bubble.getByText('the end').waitFor();
      await ben.call('Send', { chat, text: `Marks: Z${'\u0335\u0322\u0301'.repeat(200)}`, clientId: crypto.randomUUID() });
      const marks = log(ann).locator('.bubble', { hasText: 'Marks:' });
      await marks.waitFor();
      assert.equal(await marks.evaluate((e) => getComputedStyle(e).overflow), 'clip');
      await write(ben, 'Plain after.');
      await log(ann).getByText('Plain after.').waitFor();
    },

    'an address that is none says so': async () => {
      await ann.page.evaluate(() => (location.hash = '#/frob'));
      await ann.page.getByText('There is nothing at this address.').waitFor();
      await access(ann.page, 'nowhere');
      await ann.page.getByRole('link', { name: 'To the chats' }).click();
      await ann.page.getByText('Pick a chat to read it here.').waitFor();
      await openChat(ann, 'Ben');
    },

    'a message that is refused says why, and can be dropped': async () => {
      await ben.page.getByRole('textbox', { name: 'Write to Ann' }).fill('far too long '.repeat(6000));
      await ben.page.keyboard.press('Enter');
      await ben.page.getByText('Not sent.', { exact: false }).waitFor();
      await access(ben.page, 'refused');
      await ben.page.getByRole('button', { name: 'Discard' }).click();
      await ben.page.getByText('Not sent.', { exact: false }).waitFor({ state: 'detached' });
      await write(ben, 'Short then.');
    },

    'a group waits as an invitation until it is accepted': async () => {
      await welcome(cleo);
      await befriend(ann, cleo);
      await tab(ann, 'Chats');
      await ann.page.getByRole('button', { name: 'New group' }).click();
      const dialog = ann.page.getByRole('dialog', { name: 'New group' });
      await dialog.getByRole('textbox', { name: 'Name of the group' }).fill(title);
      await dialog.getByText('Ben', { exact: true }).click();
      await dialog.getByText('Cleo', { exact: true }).click();
      await access(ann.page, 'new group');
      await dialog.getByRole('button', { name: 'Create group' }).click();
      await ann.page.getByRole('heading', { name: title }).waitFor();

      await tab(ben, 'Chats');
      await chatLink(ben, title).click();
      await ben.page.getByText('If you accept, its members will see this machine’s network address.').waitFor();
      await access(ben.page, 'an invitation');
      await ben.page.getByRole('button', { name: 'Accept' }).click();
      await ben.page.getByRole('textbox', { name: `Write to ${title}` }).waitFor();
      await openChat(cleo, title);
      await cleo.page.getByRole('button', { name: 'Accept' }).click();
      await cleo.page.getByRole('textbox', { name: `Write to ${title}` }).waitFor();
    },

    'all three write in the group and see the same': async () => {
      await openChat(ann, title);
      await until('Ann sees three members', async () => ((await ann.call('GetChat', { chat: title })).members ?? []).filter((m) => m.accepted).length === 3);
      await write(ann, 'Who can take the early shift?');
      await log(cleo).getByText('Who can take the early shift?').waitFor();
      await write(cleo, 'I can.');
      await log(ben).getByText('I can.').waitFor();
      await write(ben, 'Then I bring coffee.');
      await log(ann).getByText('Then I bring coffee.').waitFor();
      await access(ann.page, 'a group');
    },

    'an admin gives and takes the role, and renames the group': async () => {
      await ann.page.getByRole('button', { name: 'Group details' }).click();
      await access(ann.page, 'details');
      await choose(ann, 'Ben', 'Make an admin');
      const row = ann.page.locator('.side .row', { hasText: 'Ben' });
      await row.getByText('Admin', { exact: true }).waitFor();
      await choose(ann, 'Ben', 'No longer an admin');
      await row.getByText('Admin', { exact: true }).waitFor({ state: 'detached' });
      const alone = ann.page.getByRole('checkbox', { name: 'Only through friends' });
      for (const on of [true, false]) {
        await ann.page.getByText('Only through friends').click();
        await ann.page.getByText(on ? /^Others do not learn this machine/ : /^All members learn this machine/).waitFor();
        assert.equal(await alone.isChecked(), on);
      }
      for (const name of ['Night crew', title]) {
        await ann.page.getByRole('button', { name: 'Rename' }).click();
        const dialog = ann.page.getByRole('dialog', { name: 'Rename' });
        await dialog.getByRole('textbox').fill(name);
        await ann.page.keyboard.press('Enter');
        await dialog.waitFor({ state: 'detached' });
        await chatLink(ben, name).waitFor();
      }
    },

    'somebody who is removed sees it at once, and reads nothing after': async () => {
      await choose(ann, 'Cleo', 'Remove from the group');
      const dialog = ann.page.getByRole('dialog', { name: 'Remove Cleo?' });
      await dialog.getByText('Cleo reads nothing sent from now on. They keep what they had.').waitFor();
      await access(ann.page, 'remove');
      await dialog.getByRole('button', { name: 'Remove Cleo' }).click();
      await dialog.waitFor({ state: 'detached' });
      await cleo.page.getByRole('heading', { name: 'Ann removed you' }).waitFor();
      assert.equal(await cleo.page.getByRole('textbox', { name: /^Write to/ }).count(), 0);
      await write(ann, 'Only Ben reads this.');
      await log(ben).getByText('Only Ben reads this.').waitFor();
      assert.equal(await log(cleo).getByText('Only Ben reads this.').count(), 0);
      await access(cleo.page, 'removed');
    },

    'the membership is a list of plain sentences, each with its signed record': async () => {
      await ann.page.getByRole('link', { name: 'Who came and went' }).click();
      await ann.page.getByRole('button', { name: /Cleo/ }).first().waitFor();
      await access(ann.page, 'history');
      await ann.page.locator('.side').getByRole('button', { name: /removed Cleo/ }).click();
      const dialog = ann.page.getByRole('dialog', { name: 'Signed record' });
      await dialog.getByText('Signature: Valid').waitFor();
      for (const term of ['Signed by', 'Height', 'Parent', 'State root']) await dialog.getByText(term, { exact: true }).waitFor();
      await access(ann.page, 'a signed record');
      await ann.page.keyboard.press('Escape');
    },

    'somebody added later joins, and the last admin names a successor to leave': async () => {
      await welcome(dan);
      await befriend(ann, dan);
      await ann.page.getByRole('link', { name: 'Back' }).last().click();
      await ann.page.getByRole('button', { name: 'Add people' }).click();
      await ann.page.getByRole('dialog').getByText('Dan', { exact: true }).click();
      await access(ann.page, 'add people');
      await ann.page.getByRole('button', { name: 'Invite' }).click();
      await openChat(dan, title);
      await dan.page.getByText('Only through friends').click();
      await dan.page.getByText('Members who are no friends of yours do not learn this machine’s address.', { exact: false }).waitFor();
      await access(dan.page, 'an invitation through friends');
      await dan.page.getByRole('button', { name: 'Accept' }).click();
      await dan.page.getByText('The group gave newcomers nothing from before.', { exact: false }).waitFor();
      assert.equal(await log(dan).getByText('Only Ben reads this.').count(), 0);
      await until('Dan is in', async () => ((await ann.call('GetChat', { chat: title })).members ?? []).filter((m) => m.accepted).length === 3);
      await dan.page.getByRole('button', { name: 'Details' }).click();
      assert.ok(await dan.page.getByRole('checkbox', { name: 'Only through friends' }).isChecked());

      await ann.page.getByRole('button', { name: 'Leave group' }).click();
      const dialog = ann.page.getByRole('dialog', { name: `Leave “${title}”?` });
      assert.ok(await dialog.getByRole('button', { name: 'Leave' }).isDisabled(), 'a successor is needed');
      await access(ann.page, 'leave');
      await dialog.getByText('Ben', { exact: true }).click();
      await dialog.getByRole('button', { name: 'Leave' }).click();
      await ann.page.getByRole('heading', { name: /You left this group|You are leaving/ }).waitFor();
      await access(ann.page, 'left');
    },

    'a second tab is logged in by the first': async () => {
      const second = await ann.context.newPage();
      await second.goto(ann.address);
      await second.getByRole('heading', { name: 'Chats' }).waitFor();
      await second.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: 'Ben' }).click();
      await second.getByRole('textbox', { name: 'Write to Ben' }).fill('From the second tab');
      await second.keyboard.press('Enter');
      await openChat(ann, 'Ben');
      await log(ann).getByText('From the second tab').waitFor();
      await second.close();
    },

    'a login link works once, and no page opens without one': async () => {
      const stranger = await browser.person();
      const page = await stranger.newPage();
      await page.goto(annLogin);
      await page.getByRole('heading', { name: 'This link was used or is too old.' }).waitFor();
      await page.getByText('Run kith open in a terminal.', { exact: false }).waitFor();
      await access(page, 'expired');
      const other = await (await browser.person()).newPage();
      await other.goto(ann.address);
      await other.getByRole('heading', { name: 'This page is locked.' }).waitFor();
      await access(other, 'locked');
      const login = await ann.open();
      await other.goto(login); // in the same tab, where only the fragment changes
      await other.getByRole('heading', { name: 'Chats' }).waitFor();
      await other.context().close();
      await stranger.close();
    },

    'everything is reached by keyboard alone': async () => {
      const { page } = ann;
      const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
      const focused = (role, name) => page.getByRole(role, { name }).and(page.locator(':focus')).waitFor();
      async function find(words) {
        await press('Control+k');
        await focused('combobox');
        await page.keyboard.type(words);
      }
      async function tabTo(role, name) {
        for (let i = 0; i < 40; i++) {
          await press('Tab');
          if ((await page.getByRole(role, { name }).and(page.locator(':focus')).count()) > 0) return;
        }
        throw new Error(`Tab does not reach ${name}`);
      }

      await find('');
      await access(page, 'find anything');
      await page.keyboard.type('notes');
      await press('Enter');
      await page.getByRole('heading', { name: 'Notes to self' }).waitFor();
      await press('Alt+ArrowDown', 'Alt+ArrowUp');

      await find('ben');
      await press('Enter');
      await focused('textbox', 'Write to Ben');
      await page.keyboard.type('By keyboard');
      await press('Enter');
      await log(ann).getByText('By keyboard').waitFor();
      await press('Shift+Tab');
      await press('Shift+Tab');
      await find('ben');
      await press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'BODY', 'focus goes back when a dialog closes');

      await find('new group');
      await press('Enter');
      await focused('textbox', 'Name of the group');
      await page.keyboard.type('Two of us');
      await tabTo('checkbox', 'Ben');
      await press('Space');
      await tabTo('button', 'Create group');
      await press('Enter');
      await page.getByRole('heading', { name: 'Two of us' }).waitFor();
      await tabTo('button', 'Group details');
      await press('Enter');
      await tabTo('button', 'Actions for Ben');
      await press('Enter');
      await page.getByRole('menu').waitFor();
      await press('ArrowDown');
      await press('End');
      await focused('menuitem', 'Remove from the group');
      await press('Enter');
      await focused('button', 'Cancel');
      await press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await press('Escape');
      await page.getByRole('region', { name: 'Details' }).waitFor({ state: 'detached' });
    },

    'settings show who one is, and change the look': async () => {
      await tab(ann, 'Settings');
      await ann.page.getByText('compare numbers', { exact: false }).waitFor();
      assert.equal(await ann.page.locator('.digits').count(), 0);
      await access(ann.page, 'settings');
      await ann.page.getByRole('link', { name: 'Appearance' }).click();
      await ann.page.getByText('Dark', { exact: true }).click();
      await access(ann.page, 'appearance, dark');
      await ann.page.getByText('As the system', { exact: true }).click();
      for (const page of ['Network', 'About']) {
        await ann.page.getByRole('link', { name: page }).click();
        await ann.page.getByRole('heading', { name: page }).waitFor();
        await access(ann.page, page);
      }
    },

    'somebody blocked is unblocked again': async () => {
      await tab(ann, 'People');
      await choose(ann, 'Dan', 'Block');
      await ann.page.getByRole('dialog', { name: 'Block Dan?' }).getByRole('button', { name: 'Block' }).click();
      await ann.page.getByRole('heading', { name: 'Blocked' }).waitFor();
      await access(ann.page, 'blocked');
      await ann.page.getByRole('button', { name: 'Unblock' }).click();
      await ann.page.getByRole('heading', { name: 'Blocked' }).waitFor({ state: 'detached' });
    },

    'what was written while one had been removed says that nobody got it': async () => {
      const chat = await ann.call('CreateGroup', { title: 'Night watch', persons: [(await ann.call('ListFriends')).friends.find((f) => f.person.name === 'Cleo').person.id] });
      await accept(cleo, 'Night watch');
      await until('Cleo is in', async () => ((await ann.call('GetChat', { chat: chat.id })).members ?? []).filter((m) => m.accepted).length === 2);
      await cleo.call('Send', { chat: chat.id, text: 'Heard by Ann', clientId: crypto.randomUUID() });
      await until('Ann has it', async () => (await ann.call('ListMessages', { chat: chat.id })).messages?.some((m) => m.text === 'Heard by Ann'));
      await until('Cleo knows', async () => (await cleo.call('ListMessages', { chat: chat.id })).messages?.some((m) => m.reached === 1));
      for (const node of [ann, cleo]) node.listen = (await node.call('GetNode')).addresses[0]; // they find each other where they were
      await ann.kill();
      await cleo.call('Send', { chat: chat.id, text: 'Heard by nobody', clientId: crypto.randomUUID() });
      const login = await (async () => {
        await cleo.kill();
        const back = await ann.start();
        await ann.call('RemoveMember', { group: chat.id, person: (await ann.call('GetChat', { chat: chat.id })).members.find((m) => m.person.name === 'Cleo').person.id });
        await cleo.page.goto(await cleo.start());
        return back;
      })();
      await ann.page.goto(login);
      await ann.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await cleo.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await cleo.page.evaluate((to) => (location.hash = to), `#/chats/${chat.id}`);
      await cleo.page.getByRole('heading', { name: 'Ann removed you' }).waitFor({ timeout: 30_000 });
      const row = log(cleo).locator('.column', { hasText: 'Heard by nobody' });
      await row.getByText('Nobody got this.').waitFor();
      assert.equal(await log(cleo).locator('.column', { hasText: 'Heard by Ann' }).getByText('Nobody got this.').count(), 0);
    },

    'with the program gone one still writes, and it leaves once it is back': async () => {
      await openChat(ann, 'Ben');
      await ann.kill();
      await ann.page.getByText('Offline, trying again').first().waitFor();
      await ann.page.getByRole('textbox', { name: 'Write to Ben' }).fill('Written while it was off');
      await ann.page.keyboard.press('Enter');
      await ann.page.getByText('Offline, 1 waiting').first().waitFor();
      await access(ann.page, 'offline');
      await ann.page.getByRole('button', { name: 'New group' }).click(); // not needed before in this life of the page
      await ann.page.getByRole('dialog', { name: 'New group' }).waitFor();
      await ann.page.keyboard.press('Escape');
      await ann.page.reload();
      await ann.page.getByRole('heading', { name: 'Offline, trying again' }).waitFor();
      await access(ann.page, 'away');
      assert.equal(await ann.page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }).includes('while it was off')), false, 'the browser has it as it was written');
      await ann.page.close(); // the only one
      const login = await ann.start();
      ann.page = await ann.context.newPage();
      await ann.page.goto(ann.address);
      await ann.page.getByText('A message waits here, sealed, to be sent as soon as you are in again.').waitFor();
      await ann.page.goto(login);
      await openChat(ann, 'Ben');
      await openChat(ben, 'Ann');
      await log(ben).getByText('Written while it was off').waitFor({ timeout: 30_000 });
      await log(ann).getByRole('button', { name: 'Reached 1 of 1' }).last().waitFor();
      assert.equal(await log(ann).getByText('Written while it was off').count(), 1);
      assert.equal(await ann.page.evaluate(() => Object.keys(localStorage).some((key) => key.startsWith('kith.outbox'))), false, 'it is kept though it was sent');
      await ann.page.reload();
      await chatLink(ann, 'Ben').getByRole('img', { name: 'Reached 1 of 1' }).or(chatLink(ann, 'Ben').getByRole('img', { name: 'Reached everybody' })).waitFor();
    },
  };

  return { steps, nodes };
}

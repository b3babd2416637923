// What somebody who is added later reads of the time before. Ann lets newcomers read
// everything; Dan, whom she adds, reads it in the page, as he scrolls.
import assert from 'node:assert/strict';
import { accept, befriend, KithNode, until } from './node.mjs';
import { shooter } from './screens.mjs';

export function history(browser, pictures) {
  const ann = new KithNode('Ann');
  const ben = new KithNode('Ben');
  const dan = new KithNode('Dan');
  const nodes = [ann, ben, dan];
  const title = 'Harbour crew';
  const take = pictures ? shooter(browser) : async () => undefined;
  const wide = { width: 1440, height: 900 };
  let group = '';

  const chat = (node) => node.call('GetChat', { chat: group });
  const log = (node) => node.page.getByRole('log');
  const open = async (node) => {
    node.context = await browser.person();
    node.page = await node.context.newPage();
    await node.page.setViewportSize(wide);
    await node.page.goto(await node.open());
    await node.page.getByRole('link').filter({ hasText: title }).first().click();
  };

  const steps = {
    'an admin lets newcomers read everything, by keyboard alone': async () => {
      for (const node of nodes) {
        await node.start();
        await node.call('Setup', { name: node.name });
      }
      await befriend(ann, ben);
      await befriend(ann, dan);
      const friends = (await ann.call('ListFriends')).friends;
      const id = (name) => friends.find((f) => f.person.name === name).person.id;
      group = (await ann.call('CreateGroup', { title, persons: [id('Ben')] })).id;
      await accept(ben, title);
      await until('both are in', async () => (await chat(ann)).members.filter((m) => m.accepted).length === 2);
      await open(ann);
      await log(ann).getByText('Only members read this. Newcomers can read nothing from before they came.').waitFor();
      await ann.page.evaluate((to) => (location.hash = to), `#/chats/${group}/details`);
      const row = ann.page.getByRole('button', { name: 'What newcomers can read' });
      await row.focus();
      await ann.page.keyboard.press('Enter');
      const dialog = ann.page.getByRole('dialog', { name: 'What newcomers can read' });
      await dialog.getByRole('radio', { name: 'Nothing from before they came' }).focus();
      await ann.page.keyboard.press('ArrowDown');
      await dialog.getByRole('spinbutton', { name: 'How many days' }).waitFor();
      await take('newcomers', ann.page);
      await ann.page.setViewportSize(wide);
      assert.deepEqual(await browser.checkAccess(ann.page, 'newcomers'), []);
      await dialog.getByRole('radio', { name: 'The last days before they came' }).focus();
      await ann.page.keyboard.press('ArrowDown');
      await dialog.getByRole('button', { name: 'Save' }).focus();
      await ann.page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await log(ann).getByText('You let newcomers read everything from before they came.').waitFor();
      await log(ann).getByText('Only members read this. Newcomers can read everything from before they came.').waitFor();
    },

    'who is added reads it all, and how far it reaches': async () => {
      for (let i = 1; i <= 120; i++) {
        await (i % 2 ? ann : ben).call('Send', { chat: group, text: `message ${i}`, clientId: crypto.randomUUID() });
      }
      const newest = async (node) => (await chat(node)).newest?.text;
      await until('Ben has it all', async () => (await ben.call('ListMessages', { chat: group, limit: 200 })).messages.length === 120);
      await until('Ann has it all', async () => (await ann.call('ListMessages', { chat: group, limit: 200 })).messages.length === 120);
      const friend = (await ann.call('ListFriends')).friends.find((f) => f.person.name === 'Dan').person.id;
      await ann.call('AddMembers', { group, persons: [friend] });
      await accept(dan, title);
      await open(dan);
      await log(dan).getByText('message 120', { exact: true }).waitFor();
      assert.equal((await chat(dan)).unread ?? 0, 0);
      assert.equal(await newest(dan), 'message 120');
      const first = log(dan).getByText('message 1', { exact: true });
      for (let tries = 0; tries < 60 && !(await first.isVisible()); tries++) {
        await log(dan).evaluate((list) => list.scrollTo(0, 0));
        await dan.page.waitForTimeout(100);
      }
      await first.waitFor();
      await log(dan).evaluate((list) => list.scrollTo(0, 0));
      await log(dan).getByText('Everything from before you came is here. Enough members confirm that nothing is missing.').waitFor();
      await take('history-begins', dan.page);
      await dan.page.setViewportSize(wide);
    },

    'a newcomer reads in the details what the group gives': async () => {
      await dan.page.evaluate((to) => (location.hash = to), `#/chats/${group}/details`);
      await dan.page.getByRole('button', { name: 'What newcomers can read' }).click();
      const dialog = dan.page.getByRole('dialog', { name: 'What newcomers can read' });
      await dialog.getByText('Newcomers can read everything from before they came.').waitFor();
      assert.equal(await dialog.getByRole('radio').count(), 0);
      await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    },
  };
  return { steps, nodes };
}

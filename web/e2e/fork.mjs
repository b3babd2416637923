// Two admins change a group while they are apart. Once they meet, both pages
// draw the same: what counts in one line, and what was undone beside it.
import assert from 'node:assert/strict';
import { accept, befriend, KithNode, until } from './node.mjs';
import { shooter } from './screens.mjs';

export function fork(browser, pictures) {
  const ann = new KithNode('Ann');
  const ben = new KithNode('Ben');
  const cleo = new KithNode('Cleo');
  const nodes = [ann, ben, cleo];
  const shoot = pictures ? shooter(browser) : async () => undefined;
  const title = 'Harbour crew';
  let group = '';

  const chat = (node) => node.call('GetChat', { chat: group });
  const blocks = async (node) => (await node.call('ListBlocks', { group })).blocks;
  const idOf = async (node, name) => (await chat(node)).members.find((m) => m.person.name === name).person.id;
  const go = (node, side) => node.page.evaluate((to) => (location.hash = to), `#/chats/${group}/${side}`);

  async function login(node) {
    node.context = await browser.person();
    node.page = await node.context.newPage();
    await node.page.goto(await node.open());
    await node.page.getByRole('heading', { name: 'Chats' }).waitFor();
  }

  const steps = {
    'a group with two admins and a member': async () => {
      for (const node of nodes) {
        await node.start();
        await node.call('Setup', { name: node.name });
      }
      await befriend(ann, ben);
      await befriend(ann, cleo);
      const friends = (await ann.call('ListFriends')).friends;
      group = (await ann.call('CreateGroup', { title, persons: friends.map((f) => f.person.id) })).id;
      for (const node of [ben, cleo]) await accept(node, title);
      await until('all are in', async () => (await chat(ann)).members.filter((m) => m.accepted).length === 3);
      await ann.call('SetRole', { group, person: await idOf(ann, 'Ben'), role: 'ROLE_ADMIN' });
      await until('Ben is an admin', async () => (await chat(ben)).myRole === 'ROLE_ADMIN');
      await ann.call('Send', { chat: group, text: 'Morning. Who takes the early shift?', clientId: crypto.randomUUID() });
      await until('Ben has it', async () => (await ben.call('ListMessages', { chat: group })).messages?.length === 1);
      for (const node of nodes) node.listen = (await node.call('GetNode')).addresses[0]; // they find each other where they were
    },

    'each changes it while the other is away, and they meet again': async () => {
      await ben.kill();
      await cleo.kill();
      await ann.call('SetTitle', { group, title: 'Harbour crew, north' });
      await ann.call('RemoveMember', { group, person: await idOf(ann, 'Ben') });
      await ann.kill();
      await ben.start();
      await ben.call('SetTitle', { group, title: 'Early shift' });
      await ben.call('RemoveMember', { group, person: await idOf(ben, 'Cleo') });
      await ben.call('RemoveMember', { group, person: await idOf(ben, 'Ann') });
      await ann.start();
      await until('Ann has both sides', async () => (await blocks(ann)).filter((b) => !b.onChain).length === 3, 30_000);
      await until('Ben has both sides', async () => (await blocks(ben)).filter((b) => !b.onChain).length === 3, 30_000);
      await ann.call('RemoveMember', { group, person: await idOf(ann, 'Cleo') });
    },

    'the page draws what was undone beside what counts, and says why': async () => {
      await login(ann);
      const { page } = ann;
      await page.evaluate((to) => (location.hash = to), `#/chats/${group}`);
      await page.getByRole('log').getByText(/^The group was split .* and is whole again; 3 changes were undone, 1 was done again\.$/).waitFor();
      await shoot('split', page);
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.getByRole('button', { name: 'Group details' }).click();
      await page.getByRole('link', { name: 'Every change, drawn' }).click();
      const list = page.getByRole('list', { name: 'Every change, drawn' });
      await list.getByText('You removed Ben.').waitFor();
      assert.equal(await list.getByRole('listitem').count(), 8);
      const lost = list.getByRole('button').filter({ hasText: 'Ben gave the group another name.' });
      await lost.getByText('Undone', { exact: false }).waitFor();
      await lost.getByText('You removed Ben and Ben removed you at the same time. You have been in charge longer, so Ben stays removed.').waitFor();
      await list.getByRole('button').filter({ hasText: 'Ben removed Cleo.' }).getByText('done again later', { exact: false }).waitFor();
      const dots = await list.locator('circle').evaluateAll((all) => all.map((c) => Number(c.getAttribute('cx'))));
      assert.equal(new Set(dots).size, 2, 'two lanes');
      assert.deepEqual(await browser.checkAccess(page, 'the drawing'), []);
      await shoot('chain', page);
      await page.setViewportSize({ width: 1440, height: 900 });
    },

    'a row opens its signed record, and one looks back, by keyboard alone': async () => {
      const { page } = ann;
      const slider = page.getByRole('slider', { name: 'Look back' });
      await slider.focus();
      await page.getByText(/: You$/).waitFor();
      await page.keyboard.press('Home');
      await page.getByText(/: You, (Ben, Cleo|Cleo, Ben)$/).waitFor();
      await page.keyboard.press('End');
      for (let i = 0; i < 20; i++) {
        await page.keyboard.press('Tab');
        if ((await page.locator(':focus').innerText()).includes('Ben removed you.')) break;
      }
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Signed record' });
      await dialog.getByText('Why it does not count').waitFor();
      await dialog.getByText('It was built on a change that was undone.').waitFor();
      await dialog.getByText('Admin number 2 by seniority', { exact: true }).waitFor();
      await dialog.getByText('Ann: the most senior admin. Ben: admin number 2 by seniority.').waitFor();
      assert.deepEqual(await browser.checkAccess(page, 'a record that lost'), []);
      await shoot('record-undone', page);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await page.setViewportSize({ width: 1440, height: 900 });
    },

    'who lost sees the same, in words to them': async () => {
      await login(ben);
      await go(ben, 'chain');
      await ben.page.getByRole('list', { name: 'Every change, drawn' }).getByText('Ann removed you and you removed Ann at the same time. Ann has been in charge longer, so you stay removed.').waitFor();
      assert.deepEqual(await browser.checkAccess(ben.page, 'the drawing, for whoever lost'), []);
    },
  };

  return { steps, nodes };
}

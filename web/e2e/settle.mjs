// Members vote on what can no longer be undone, and the page says what is
// settled, what is still open and for whom it waits. Then a copy of a home signs
// what contradicts the other: the page names the device and shows the proof.
// Votes take their time: this waits about two minutes.
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { accept, befriend, KithNode, until } from './node.mjs';
import { shooter } from './screens.mjs';

const patience = 150_000; // ms for voters to settle something

export function settle(browser, pictures) {
  const ann = new KithNode('Ann');
  const ben = new KithNode('Ben');
  const cleo = new KithNode('Cleo');
  const copy = new KithNode('Ben'); // of Ben's home
  const nodes = [ann, ben, cleo, copy];
  const shoot = pictures ? shooter(browser) : async () => undefined;
  const wide = { width: 1440, height: 900 };
  let group = '';

  const chat = (node) => node.call('GetChat', { chat: group });
  const settlement = (node) => node.call('GetSettlement', { group });
  const idOf = async (name) => (await chat(ann)).members.find((m) => m.person.name === name).person.id;
  const go = (side) => ann.page.evaluate((to) => (location.hash = to), `#/chats/${group}/${side}`);
  const drawing = () => ann.page.getByRole('list', { name: 'Every change, drawn' });

  const steps = {
    'a group of three, in which its maker alone votes': async () => {
      for (const node of [ann, ben, cleo]) {
        await node.start();
        await node.call('Setup', { name: node.name });
      }
      await befriend(ann, ben);
      await befriend(ann, cleo);
      const friends = (await ann.call('ListFriends')).friends;
      group = (await ann.call('CreateGroup', { title: 'Harbour crew', persons: friends.map((f) => f.person.id) })).id;
      for (const node of [ben, cleo]) await accept(node, 'Harbour crew');
      await until('all are in', async () => (await chat(ann)).members.filter((m) => m.accepted).length === 3);
      await ann.call('SetRole', { group, person: await idOf('Ben'), role: 'ROLE_ADMIN' });
      for (const node of [ann, ben, cleo]) node.listen = (await node.call('GetNode')).addresses[0];
      const s = await settlement(ann);
      assert.equal(s.voters.length, 1);
      assert.match(s.withstands[0], /^You alone decide what can no longer be undone/);
    },

    'an admin chooses who has the final say, by keyboard alone': async () => {
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      await ann.page.setViewportSize(wide);
      await ann.page.goto(await ann.open());
      await ann.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await go('details');
      const row = ann.page.getByRole('button', { name: 'Who has the final say' });
      await row.focus();
      await ann.page.keyboard.press('Enter');
      const dialog = ann.page.getByRole('dialog', { name: 'Who has the final say' });
      for (const name of ['Ben', 'Cleo']) {
        await dialog.getByRole('checkbox', { name }).focus();
        await ann.page.keyboard.press('Space');
      }
      await dialog.getByText('It counts once those who have the final say now have agreed to it.').waitFor();
      await shoot('voters', ann.page);
      await ann.page.setViewportSize(wide);
      await dialog.getByRole('button', { name: 'Choose' }).focus();
      await ann.page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await until('it is chosen', async () => (await settlement(ann)).coming?.length === 3);
      await go('chain');
      await ann.page.getByText('2 changes above it can still be undone. Waits for you; that happens by itself within two minutes.').waitFor();
    },

    'a member sees who has it, and chooses nobody': async () => {
      cleo.context = await browser.person();
      cleo.page = await cleo.context.newPage();
      await cleo.page.setViewportSize(wide);
      await cleo.page.goto(await cleo.open());
      await cleo.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await cleo.page.evaluate((to) => (location.hash = to), `#/chats/${group}/details`);
      await cleo.page.getByRole('button', { name: 'Who has the final say' }).click();
      const dialog = cleo.page.getByRole('dialog', { name: 'Who has the final say' });
      await dialog.getByText('These members', { exact: true }).waitFor();
      await dialog.getByText('The choice waits until ', { exact: false }).waitFor();
      await dialog.getByText('Ann alone decides what can no longer be undone', { exact: false }).waitFor();
      assert.equal(await dialog.getByRole('checkbox').count(), 0);
      assert.deepEqual(await browser.checkAccess(cleo.page, 'who has the final say, for a member'), []);
      await cleo.context.close();
      cleo.page = undefined;
    },

    'what is settled stands apart from what is open': async () => {
      await ann.page.getByText('Settled up to number 2 by you: it can no longer be undone.').waitFor({ timeout: patience });
      await until('all three vote', async () => (await settlement(cleo)).voters.length === 3, patience);
      await drawing().getByText('Settled, with all before it').waitFor();
      await ben.kill();
      await cleo.kill();
      await ann.call('SetTitle', { group, title: 'Harbour crew, north' });
      await drawing().getByText('You voted for it, not yet Ben and Cleo', { exact: false }).waitFor({ timeout: patience });
      await ann.page.getByText('1 change above it can still be undone. Waits for Ben or Cleo; that happens by itself within two minutes once they are online.').waitFor();
      await ann.page.getByText('3 members vote, 2 are needed').click();
      await ann.page.getByText('None of them may lie', { exact: false }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'what is settled'), []);
      await shoot('settled', ann.page);
      await ann.page.setViewportSize(wide);
      const fills = await drawing().locator('circle').evaluateAll((all) => all.map((c) => getComputedStyle(c).fill));
      assert.equal(new Set(fills).size, 2, 'two kinds of dots');
    },

    'a row says who voted for it': async () => {
      await drawing().getByRole('button').filter({ hasText: 'You named the group “Harbour crew, north”.' }).click();
      const dialog = ann.page.getByRole('dialog', { name: 'Signed record' });
      await dialog.getByText('Waits for', { exact: true }).waitFor();
      await ann.page.keyboard.press('Escape');
      await drawing().getByRole('button').filter({ hasText: 'You made Ben an admin.' }).click();
      await dialog.getByText(/^By you, round \d+$/).waitFor();
      await ann.page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    },

    'two copies of one home sign what contradicts itself, and the proof is shown': async () => {
      await ann.kill();
      rmSync(copy.home, { recursive: true });
      cpSync(ben.home, copy.home, { recursive: true, filter: (path) => !path.endsWith('.sock') });
      copy.listen = ben.listen;
      for (const [node, title] of [[ben, 'Early shift'], [copy, 'Late shift']]) {
        await node.start();
        await node.call('SetTitle', { group, title });
        await node.kill();
      }
      await ann.start();
      for (const node of [ben, copy]) {
        await node.start();
        const title = node === ben ? 'Early shift' : 'Late shift';
        await until(`Ann has “${title}”`, async () => (await ann.call('ListBlocks', { group })).blocks.some((b) => b.changes.some((c) => c.sentence.includes(title))), 40_000);
        await node.kill();
      }
      await until('Ann knows who lied', async () => ((await settlement(ann)).incidents ?? []).some((i) => i.kind === 'INCIDENT_KIND_SIGNED_TWICE'));
      await ann.page.goto('about:blank');
      await ann.page.goto(await ann.open());
      await ann.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await go('chain');
      const card = ann.page.getByRole('region', { name: 'What does not add up' });
      await card.getByText(/^A device of Ben \([0-9a-f]{8}\) made two different changes in the same place\. No honest program does that/).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'what does not add up'), []);
      await shoot('lied', ann.page);
      await ann.page.setViewportSize(wide);
      await card.getByRole('button', { name: 'Show the proof' }).focus();
      await ann.page.keyboard.press('Enter');
      const dialog = ann.page.getByRole('dialog', { name: 'Proof' });
      for (const title of ['Early shift', 'Late shift']) await dialog.getByText(title, { exact: false }).waitFor();
      const shown = await dialog.getByRole('region').allInnerTexts();
      const [incident] = (await settlement(ann)).incidents;
      assert.deepEqual(shown.map((text) => text.replace(/\s/g, '')), incident.proof.map((x) => x.hex));
      assert.deepEqual(await browser.checkAccess(ann.page, 'a proof'), []);
      await shoot('proof', ann.page);
      await ann.page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    },

    'renames in a row are one line, which opens': async () => {
      for (const title of ['Quay', 'Pier', 'Mole', 'Harbour crew']) await ann.call('SetTitle', { group, title });
      await ann.page.evaluate((to) => (location.hash = to), `#/chats/${group}`);
      const log = ann.page.getByRole('log');
      const fold = log.getByRole('button', { name: /^Renamed \d+ times in a row$/ });
      await log.getByText('You named the group “Harbour crew”.', { exact: false }).waitFor();
      await fold.waitFor();
      assert.equal(await log.getByText('“Pier”', { exact: false }).count(), 0);
      assert.deepEqual(await browser.checkAccess(ann.page, 'renames in a row'), []);
      await shoot('renames', ann.page);
      await ann.page.setViewportSize(wide);
      await fold.focus();
      await ann.page.keyboard.press('Enter');
      await log.getByText('“Pier”', { exact: false }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'renames, opened'), []);
      await log.getByRole('button', { name: 'Show the last name only' }).click();
      await log.getByText('“Pier”', { exact: false }).waitFor({ state: 'detached' });
      await go('history');
      const summary = ann.page.locator('summary', { hasText: /^Renamed \d+ times in a row$/ });
      await summary.click();
      await ann.page.getByRole('button').filter({ hasText: 'You named the group “Pier”.' }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'renames in the history'), []);
      await shoot('history-renames', ann.page);
      await ann.page.setViewportSize(wide);
    },

    'both copies come back by themselves, and the page says so': async () => {
      copy.listen = '127.0.0.1:0';
      for (const node of [ben, copy]) await node.start();
      await until('both are in', async () => {
        const [mine, other] = await Promise.all([ben.call('GetNode'), copy.call('GetNode')]);
        const states = await Promise.all([chat(ben), chat(copy)]);
        return mine.deviceId !== other.deviceId && states.every((c) => c.state === 'CHAT_STATE_ACTIVE' && (c.notice ?? '') === '');
      }, patience);
      copy.context = await browser.person();
      copy.page = await copy.context.newPage();
      await copy.page.setViewportSize(wide);
      await copy.page.goto(await copy.open());
      await copy.page.getByText('A copy of this Kith is running, or was.', { exact: false }).waitFor();
      await shoot('copied', copy.page);
    },
  };

  return { steps, nodes };
}

// What is said about a message: answers, reactions, another text, polls, and that it
// was deleted. Ben does it by his program; Ann sees it, and reacts and chooses too.
import assert from 'node:assert/strict';
import { accept, befriend, KithNode, until } from './node.mjs';
import { shooter } from './screens.mjs';

export function said(browser, pictures) {
  const ann = new KithNode('Ann');
  const ben = new KithNode('Ben');
  const nodes = [ann, ben];
  const title = 'Harbour crew';
  const take = shooter(browser);
  let group = '';

  const log = () => ann.page.getByRole('log');
  const say = (node, text, more = {}) => node.call('Send', { chat: group, text, clientId: crypto.randomUUID(), ...more });
  const about = (verb, message, more) => ben.call(verb, { chat: group, message: message.id, ...more });
  const at = async (message) => (await ann.call('ListMessages', { chat: group, limit: 50 })).messages.find((m) => m.id === message.id);

  const steps = {
    'an answer, a reaction, another text and a poll are seen as they come': async () => {
      for (const node of nodes) {
        node.login = await node.start();
        await node.call('Setup', { name: node.name });
      }
      await befriend(ann, ben);
      const person = ((await ann.call('ListFriends')).friends ?? [])[0].person.id;
      group = (await ann.call('CreateGroup', { title, persons: [person] })).id;
      await accept(ben, title);
      await until('both are in', async () => ((await ann.call('GetChat', { chat: group })).members ?? []).filter((m) => m.accepted).length === 2);
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      await ann.page.goto(ann.login);
      await ann.page.getByRole('link').filter({ hasText: title }).first().click();
      const first = await say(ann, 'When do we sail?');
      await until('Ben has it', async () => ((await ben.call('ListMessages', { chat: group, limit: 50 })).messages ?? []).some((m) => m.id === first.id));
      const answer = await say(ben, 'At sevn.', { replyTo: first.id });
      await about('React', first, { emoji: '⛵' });
      await log().locator('.quoted', { hasText: 'When do we sail?' }).waitFor();
      await log().getByRole('button', { name: /^⛵ *by Ben$/ }).waitFor();
      await about('EditMessage', answer, { text: 'At seven.' });
      await log().getByText('At seven.', { exact: true }).waitFor();
      await log().getByText('edited', { exact: true }).waitFor();
      assert.equal(await log().getByText('At sevn.', { exact: true }).count(), 0);
      await ben.call('CreatePoll', { chat: group, question: 'Where to?', options: ['The lighthouse', 'The island'], clientId: crypto.randomUUID() });
      await log().getByText('Nobody has chosen yet.').waitFor();
    },

    'Ann reacts and chooses with a click, and takes it back with another': async () => {
      await log().getByRole('button', { name: /^⛵ *by Ben$/ }).click();
      const both = log().getByRole('button', { name: /^⛵ *2 *by (Ben, You|You, Ben)$/ });
      await both.waitFor();
      const island = log().getByRole('button', { name: /^The island/ });
      await island.click();
      await log().getByText('1 has chosen.').waitFor();
      assert.equal(await island.getAttribute('aria-pressed'), 'true');
      assert.deepEqual(await browser.checkAccess(ann.page, 'said'), []);
      if (pictures) await take('said', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await island.click();
      await log().getByText('Nobody has chosen yet.').waitFor();
      await both.click();
      await log().getByRole('button', { name: /^⛵ *by Ben$/ }).waitFor();
    },

    'what is deleted is gone': async () => {
      const doomed = await say(ben, 'The code is 4711.');
      await log().getByText('The code is 4711.').waitFor();
      await about('DeleteMessage', doomed);
      await log().getByText('This message was deleted.').waitFor();
      assert.equal(await ann.page.getByText('4711').count(), 0);
      assert.equal((await at(doomed)).text ?? '', '');
    },
  };
  return { steps, nodes };
}

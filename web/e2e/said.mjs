// What is said about a message: answers, reactions, another text, polls, and that it
// was deleted. Ben does it by his program; Ann sees it, and reacts and chooses too.
import assert from 'node:assert/strict';
import { KithNode, together, until } from './node.mjs';
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

  const field = () => ann.page.getByRole('textbox', { name: `Write to ${title}` });
  const menu = (name) => ann.page.getByRole('menuitem', { name, exact: true });
  const bubble = (text) => log().getByRole('article').filter({ has: ann.page.locator('.text', { hasText: text }) }).last().locator('.hold');

  const steps = {
    'an answer, a reaction, another text and a poll are seen as they come': async () => {
      group = await together(ann, ben, title);
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

    'by the menu Ann answers, edits, pins and lets go': async () => {
      const bens = bubble('At seven.');
      await bens.hover();
      await bens.getByRole('button', { name: 'Reply' }).click();
      await ann.page.getByText('Reply to Ben').waitFor();
      if (pictures) await take('reply', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await field().press('Escape');
      await ann.page.getByText('Reply to Ben').waitFor({ state: 'detached' });
      await bens.click({ button: 'right' });
      await menu('Reply').waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'menu'), []);
      if (pictures) await take('menu', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await menu('Reply').click();
      await field().fill('Seven it is, **early**.');
      await field().press('Enter');
      await log().getByRole('article', { name: 'You: Seven it is, early.' }).waitFor();

      await field().press('ArrowUp');
      await ann.page.getByText('Edit your message').waitFor();
      const editor = ann.page.getByRole('textbox', { name: 'The message’s new text' });
      assert.equal(await editor.inputValue(), 'Seven it is, **early**.');
      await editor.fill('Seven it is, @Ben.');
      if (pictures) await take('editing', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await editor.press('Enter');
      await log().getByText('Seven it is, @Ben.').waitFor();
      await field().press('ArrowUp');
      assert.equal(await editor.inputValue(), 'Seven it is, @Ben.', 'a mention is typed as it was');
      await editor.press('Escape');

      await bubble('Seven it is').click({ button: 'right' });
      await menu('Earlier versions').click();
      const versions = ann.page.getByRole('dialog', { name: 'Versions' });
      await versions.getByText('Seven it is, early.').waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'versions'), []);
      if (pictures) await take('versions', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await ann.page.keyboard.press('Escape');

      await bubble('When do we sail?').click({ button: 'right' });
      await menu('Copy text').click();
      assert.equal(await ann.page.evaluate(() => navigator.clipboard.readText()), 'When do we sail?');
      for (const text of ['When do we sail?', 'At seven.']) {
        await bubble(text).click({ button: 'right' });
        await menu('Pin').click();
        await ann.page.locator('.pins .newest', { hasText: text }).waitFor();
      }
      await until('Ben sees both', async () => ((await ben.call('ListPins', { chat: group })).messages ?? []).length === 2);
      await ann.page.getByRole('button', { name: 'All 2' }).click();
      const pins = ann.page.getByRole('region', { name: 'Pinned' });
      await pins.getByRole('link', { name: /When do we sail/ }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'pins'), []);
      if (pictures) await take('pins', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await pins.getByRole('link', { name: /When do we sail/ }).click();
      await ann.page.locator('.marked', { hasText: 'When do we sail?' }).waitFor();
      await pins.getByRole('button', { name: 'Unpin' }).last().click();
      await ann.page.getByRole('button', { name: 'All 2' }).waitFor({ state: 'detached' });
      await pins.getByRole('link', { name: 'Close' }).click();
    },

    'by the keyboard alone Ann goes to a message, reacts and answers': async () => {
      await field().focus();
      await ann.page.keyboard.press('Shift+Tab'); // the button for a poll
      for (let i = 0; i < 12 && !(await ann.page.evaluate(() => document.activeElement?.getAttribute('role') === 'article')); i++) await ann.page.keyboard.press('Shift+Tab');
      await ann.page.keyboard.press('ArrowUp');
      const where = () => ann.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
      await until('a message above has the focus', async () => (await where()) === 'Ben: Where to?');
      await ann.page.keyboard.press('Enter');
      await menu('React with 👍').waitFor();
      await until('the menu has the focus', () => ann.page.evaluate(() => document.activeElement?.closest('[role=menu]') !== null));
      await ann.page.keyboard.press('ArrowDown');
      await ann.page.keyboard.press('Home');
      await ann.page.keyboard.press('Enter');
      await log().getByRole('button', { name: /^👍 *by You$/ }).waitFor();
      await until('the focus is back', async () => (await where()) === 'Ben: Where to?');
      await ann.page.keyboard.press('e');
      const others = ann.page.getByRole('dialog', { name: 'React' });
      await others.getByRole('textbox', { name: 'Any other' }).fill('🗺️');
      assert.deepEqual(await browser.checkAccess(ann.page, 'emoji'), []);
      if (pictures) await take('emoji', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await ann.page.keyboard.press('Enter');
      await log().getByRole('button', { name: /^🗺️ *by You$/ }).waitFor();
    },

    'Ann makes a poll and ends it': async () => {
      await ann.page.getByRole('button', { name: 'Make a poll' }).click();
      const dialog = ann.page.getByRole('dialog', { name: 'New poll' });
      await dialog.getByRole('textbox', { name: 'Question' }).fill('Who brings tea?');
      await dialog.getByRole('textbox', { name: 'Choice 1' }).fill('Ann');
      await dialog.getByRole('textbox', { name: 'Choice 2' }).fill('Ann');
      await dialog.getByText('Two choices are the same.').waitFor();
      await dialog.getByRole('textbox', { name: 'Choice 2' }).fill('Ben');
      await dialog.getByText('More than one may be chosen').click();
      assert.deepEqual(await browser.checkAccess(ann.page, 'new poll'), []);
      if (pictures) await take('poll', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await dialog.getByRole('button', { name: 'Send the poll' }).click();
      await until('Ben has the poll', async () => {
        const poll = ((await ben.call('ListMessages', { chat: group, limit: 5 })).messages ?? []).find((m) => m.poll?.question === 'Who brings tea?')?.poll;
        return poll?.several === true && poll.options.length === 2;
      });
      await bubble('Who brings tea?').click({ button: 'right', position: { x: 8, y: 8 } });
      await menu('Close the poll').click();
      await log().getByText('Closed. Nobody has chosen.').waitFor();
    },

    'a finger that rests opens the menu': async () => {
      const context = await browser.person({ viewport: { width: 360, height: 760 }, hasTouch: true, isMobile: true });
      const phone = await context.newPage();
      await phone.goto(await ann.open());
      await phone.getByRole('link').filter({ hasText: title }).first().click();
      const box = await phone.getByRole('article', { name: /^Ben: At seven/ }).locator('.bubble').boundingBox();
      const at = { x: box.x + 20, y: box.y + box.height - 10 };
      await phone.waitForFunction(({ x, y }) => document.elementFromPoint(x, y)?.closest('.bubble'), at); // a list that moves takes no touch
      const cdp = await context.newCDPSession(phone);
      await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
      await phone.getByRole('menuitem', { name: 'Reply' }).waitFor();
      await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
      await phone.getByRole('menuitem', { name: 'Reply' }).waitFor();
      if (pictures) await phone.screenshot({ path: new URL('../screenshots/menu-touch.png', import.meta.url).pathname });
      await phone.getByRole('menuitem', { name: 'Reply' }).tap();
      await phone.getByText('Reply to Ben').waitFor();
      await context.close();
    },

    'a message is deleted after a moment in which it can be taken back': async () => {
      await say(ben, 'Ann, your shoes are ugly.');
      await bubble('your shoes are ugly').click({ button: 'right' });
      await menu('Delete').click();
      const dialog = ann.page.getByRole('dialog', { name: 'Delete Ben’s message?' });
      await dialog.getByText('everybody sees that you deleted it', { exact: false }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'delete'), []);
      if (pictures) await take('delete-message', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await dialog.getByRole('button', { name: 'Delete for everybody' }).click();
      await log().getByRole('button', { name: 'Undo' }).click();
      await log().getByText('Ann, your shoes are ugly.').waitFor();
      const before = (await ben.call('ListMessages', { chat: group, limit: 50 })).messages;
      assert.ok(before.some((m) => m.text === 'Ann, your shoes are ugly.'));
      await bubble('your shoes are ugly').click({ button: 'right' });
      await menu('Delete').click();
      await dialog.getByRole('button', { name: 'Delete for everybody' }).click();
      await log().getByText('You deleted this message.').waitFor();
      await until('Ben sees who did', async () => (await ben.call('ListMessages', { chat: group, limit: 50 })).messages.some((m) => m.deletedByAdmin));
    },

    'messages disappear when Ann has set it': async () => {
      await ann.page.getByRole('button', { name: 'Group details' }).click();
      await ann.page.getByRole('button', { name: /^Disappearing messages/ }).click();
      const dialog = ann.page.getByRole('dialog', { name: 'Disappearing messages' });
      await dialog.getByText('can still photograph or keep them', { exact: false }).waitFor();
      await dialog.getByRole('radio', { name: 'Gone after 1 day' }).check();
      assert.deepEqual(await browser.checkAccess(ann.page, 'lifetime'), []);
      if (pictures) await take('lifetime', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await dialog.getByRole('button', { name: 'Set' }).click();
      await log().getByText('You set messages to disappear after 1 day.').waitFor();
      await ann.page.locator('.pane header').getByText('Messages disappear after 1 day').waitFor();
      await ann.page.getByRole('button', { name: 'Group details' }).click();
      await say(ben, 'Meet at the north mole, six sharp.');
      const left = bubble('Meet at the north mole').locator('.meta').getByText('24h', { exact: true });
      await left.waitFor();
      await bubble('Meet at the north mole').getByText(/^Disappears /).waitFor({ state: 'attached' });
      if (pictures) await take('disappearing', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await ann.call('SetLifetime', { chat: group, seconds: 3 });
      await until('Ben knows', async () => (await ben.call('GetChat', { chat: group })).lifetime === 3);
      await say(ben, 'The code is 4712.');
      await log().getByText('The code is 4712.').waitFor();
      await bubble('The code is 4712.').locator('.meta').getByText(/^[123]s$/).waitFor();
      await log().getByText('The code is 4712.').waitFor({ state: 'detached' });
      await until('it is gone on both sides', async () => {
        for (const node of nodes) if (JSON.stringify(await node.call('ListMessages', { chat: group, limit: 50 })).includes('4712')) return false;
        return true;
      });
      await ann.page.getByRole('link').filter({ hasText: title }).getByText('A message that disappeared').waitFor();
      assert.equal(await ann.page.getByText('4712').count(), 0, 'the list of chats shows it still');
      if (pictures) await take('disappeared', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await ann.call('SetLifetime', { chat: group, seconds: 0 });
      await log().getByText('You set messages to stay.').waitFor();
    },

    'Ben sees that Ann writes, unless she hides it': async () => {
      ben.context = await browser.person();
      ben.page = await ben.context.newPage();
      await ben.page.goto(await ben.open());
      await ben.page.getByRole('link').filter({ hasText: title }).first().click();
      const sees = ben.page.locator('.pane header').getByText('Ann is writing');
      await field().pressSequentially('Well');
      await sees.waitFor();
      if (pictures) await take('writing', ben.page, async () => {
        await field().press('l'); // heard for five seconds only
        await sees.waitFor();
      });
      await ben.page.setViewportSize({ width: 1440, height: 900 });
      await field().fill('');
      await sees.waitFor({ state: 'detached' });
      await ann.page.goto(`${new URL(ann.page.url()).origin}/#/settings/privacy`);
      const box = ann.page.getByRole('checkbox', { name: 'Show others when I write' });
      await until('it is known', () => box.isEnabled());
      await ann.page.getByText('Show others when I write').click();
      await until('it is kept', async () => (await ann.call('GetSettings')).hideTyping === true);
      assert.deepEqual(await browser.checkAccess(ann.page, 'privacy'), []);
      if (pictures) await take('privacy', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await ann.page.getByText('Show others when I write').click();
      await until('it is taken back', async () => (await ann.call('GetSettings')).hideTyping !== true);
      await ann.page.getByRole('link', { name: 'Chats' }).first().click();
      await ann.page.getByRole('link').filter({ hasText: title }).first().click();
    },

    'what was read is shown to who shows it, and the ticks say how far a message has come': async () => {
      const sent = await say(ann, 'Bring the oars.');
      await until('it has arrived', async () => (await at(sent)).reached === 1);
      const marks = bubble('Bring the oars.').locator('.meta button');
      await bubble('Bring the oars.').getByRole('button', { name: 'Reached 1 of 1' }).click();
      const dialog = ann.page.getByRole('dialog', { name: 'Who has it' });
      await dialog.getByText('Has it', { exact: true }).waitFor();
      if (pictures) await take('delivered', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await dialog.getByRole('link', { name: 'Change that' }).click();
      const box = ann.page.getByRole('checkbox', { name: 'Show others what I have read' });
      await until('it is known', () => box.isEnabled());
      assert.equal(await box.isChecked(), false, 'somebody is told before it was chosen');
      await ann.page.getByText('Show others what I have read').click();
      await until('it is kept', async () => (await ann.call('GetSettings')).tellRead === true);
      if (pictures) await take('privacy-read', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await ann.page.getByRole('link', { name: 'Chats' }).first().click();
      await ann.page.getByRole('link').filter({ hasText: title }).first().click();
      await log().getByText('Bring the oars.').waitFor();
      assert.equal((await at(sent)).read ?? 0, 0, 'Ben does not tell');
      await ben.call('SetSettings', { tellRead: true });
      await marks.and(ann.page.getByRole('button', { name: 'Read', exact: true })).waitFor(); // Ben has the chat open
      await ann.page.getByRole('link').filter({ hasText: title }).first().getByRole('img', { name: 'Read', exact: true }).waitFor();
      await marks.click();
      await dialog.getByText('Has read it', { exact: true }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'who has read it'), []);
      if (pictures) await take('read', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await ann.page.keyboard.press('Escape');
      await ben.call('SetSettings', { tellRead: false });
      await bubble('Bring the oars.').getByRole('button', { name: 'Reached 1 of 1' }).waitFor();
    },

    'what was begun is kept by the program, also across a restart': async () => {
      await bubble('At seven.').click({ button: 'right' });
      await menu('Reply').click();
      await field().fill('I was about to');
      await until('it is kept', async () => {
        const { draft } = await ann.call('GetChat', { chat: group });
        return draft?.text === 'I was about to' && draft.replyTo !== undefined;
      });
      assert.equal(await ann.page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }).includes('about to')), false, 'the browser has it');
      await ann.page.getByRole('link').filter({ hasText: 'Notes to self' }).first().click();
      const row = ann.page.getByRole('link').filter({ hasText: title }).first();
      await row.getByText('Draft: I was about to').waitFor();
      if (pictures) await take('draft', ann.page);
      await ann.page.setViewportSize({ width: 1440, height: 900 });
      await ann.kill('SIGTERM');
      await ann.start();
      await ann.page.goto('about:blank');
      await ann.page.goto(await ann.open());
      await ann.page.getByRole('link').filter({ hasText: title }).first().click();
      await ann.page.getByText('Reply to Ben').waitFor();
      assert.equal(await field().inputValue(), 'I was about to');
      await field().press('Enter');
      await until('nothing is begun any more', async () => (await ann.call('GetChat', { chat: group })).draft === undefined);
      await log().getByRole('article', { name: 'You: I was about to' }).waitFor();
    },

    'what is deleted is gone': async () => {
      const doomed = await say(ben, 'The code is 4711.');
      await log().getByText('The code is 4711.').waitFor();
      await about('DeleteMessage', doomed);
      await log().getByText('This message was deleted.').waitFor();
      assert.equal(await ann.page.getByText('4711').count(), 0);
      assert.equal((await at(doomed)).text ?? '', '');
      if (pictures) await take('deleted', ann.page);
    },
  };
  return { steps, nodes };
}

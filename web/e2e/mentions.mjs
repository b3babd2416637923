// Who mentions Ann is seen in the list of chats, and a button in the chat leads from
// one message that does to the next.
import assert from 'node:assert/strict';
import { KithNode, together, until } from './node.mjs';
import { shooter } from './screens.mjs';

export function mentions(browser, pictures) {
  const ann = new KithNode('Ann');
  const ben = new KithNode('Ben');
  const nodes = [ann, ben];
  const title = 'Harbour crew';
  const take = shooter(browser);
  let group = '';

  const log = () => ann.page.getByRole('log');
  const row = () => ann.page.getByRole('link').filter({ hasText: title }).first();
  const say = (text, chat = group) => ben.call('Send', { chat, text, clientId: crypto.randomUUID() });
  const wide = () => ann.page.setViewportSize({ width: 1440, height: 900 });
  const chatter = async (from, to) => {
    for (let i = from; i < to; i++) await say(`Line ${i}: the boat is still where it was, and so is the wind.`);
  };
  const inView = (text) =>
    log().evaluate((el, wanted) => {
      const { top, bottom } = el.getBoundingClientRect();
      return [...el.querySelectorAll('.text')].some((line) => line.textContent.includes(wanted) && line.getBoundingClientRect().bottom > top && line.getBoundingClientRect().top < bottom);
    }, text);
  const button = (name) => ann.page.getByRole('button', { name, exact: true });

  const steps = {
    'the list shows which chat has something for Ann': async () => {
      group = await together(ann, ben, title);
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      await ann.page.goto(ann.login);
      await say('Nothing for anybody yet.');
      await row().getByText('1 new message', { exact: true }).waitFor();
      assert.equal(await row().getByText(/mention/).count(), 0);
      await say('@Ann, when do we sail?');
      await row().getByText('1 mentions you').waitFor();
      await chatter(0, 40);
      const sent = await say('@Ann is it seven?');
      await row().getByText('2 mention you').waitFor();
      await ben.call('EditMessage', { chat: group, message: sent.id, text: 'Is it seven?' });
      await row().getByText('1 mentions you').waitFor();
      await ben.call('EditMessage', { chat: group, message: sent.id, text: '@Ann is it seven?' });
      await row().getByText('2 mention you').waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'mentions'), []);
      if (pictures) {
        const direct = (await ben.call('ListChats', {})).chats.find((chat) => chat.kind === 'CHAT_KIND_DIRECT');
        await say('And here I ask you alone, @Ann.', direct.id);
        await until('both chats show it', async () => (await ann.page.getByText('1 mentions you').count()) === 1 && (await ann.page.getByText('2 mention you').count()) === 1);
        await take('mentioned', ann.page);
        await wide();
      }
    },

    'a button leads from one to the next, and goes': async () => {
      await chatter(40, 80);
      await row().click();
      await log().getByRole('article').last().waitFor();
      await button('To a message that mentions you').or(button('To the first of 2 messages that mention you')).waitFor();
      const first = await inView('when do we sail?');
      if (!first) {
        await button('To the first of 2 messages that mention you').click();
        await until('the first is in view', () => inView('when do we sail?'));
      }
      const next = button('To a message that mentions you');
      await next.waitFor();
      if (pictures) await take('to-mention', ann.page);
      await wide();
      await next.focus();
      await ann.page.keyboard.press('Enter');
      await until('the second is in view', () => inView('is it seven?'));
      await next.waitFor({ state: 'detached' });
      await until('it has the focus', () => ann.page.evaluate(() => (document.activeElement?.getAttribute('aria-label') ?? '').includes('is it seven?')));
    },

    'what is read mentions nobody any more': async () => {
      await button('To the newest').or(ann.page.getByRole('button', { name: /new below$/ })).click();
      await until('all is read', async () => ((await ann.call('GetChat', { chat: group })).mentions ?? []).length === 0);
      await row().getByText(/mention/).waitFor({ state: 'detached' });
      await say('@Ann, one more, which is in view at once.');
      await log().getByText('one more, which is in view').waitFor();
      await until('it is read', async () => ((await ann.call('GetChat', { chat: group })).mentions ?? []).length === 0);
      assert.equal(await button('To a message that mentions you').count(), 0);
    },
  };
  return { steps, nodes };
}

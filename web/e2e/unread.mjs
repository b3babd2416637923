// A chat is opened at the first message that is unread, and what nobody saw
// stays unread, however many there are.
import assert from 'node:assert/strict';
import { KithNode, together, until } from './node.mjs';
import { shooter } from './screens.mjs';

const many = 150;

export function unread(browser, pictures) {
  const ann = new KithNode('Ann');
  const ben = new KithNode('Ben');
  const nodes = [ann, ben];
  const title = 'Harbour crew';
  const take = shooter(browser);
  let group = '';
  let direct = '';

  const log = () => ann.page.getByRole('log');
  const row = (name) => ann.page.getByRole('link').filter({ hasText: name }).first();
  const say = (text, chat = group) => ben.call('Send', { chat, text, clientId: crypto.randomUUID() });
  const left = async (chat = group) => (await ann.call('GetChat', { chat })).unread ?? 0;
  const wide = () => ann.page.setViewportSize({ width: 1440, height: 900 });
  const tell = async (name, count, chat = group) => {
    for (let i = 0; i < count; i++) await say(`${name} ${i}: the boat is where it was${i % 3 === 0 ? ', and so is the wind, which turned to the west in the night and has not turned since' : ''}.`, chat);
  };
  const below = () => ann.page.getByRole('button', { name: /^[\d,]+ new below$/ });
  const belowCount = async () => Number((await below().getAttribute('aria-label')).replace(/\D/g, ''));

  // The words of what is in view, from the top; the mark is one of them.
  const inView = () =>
    log().evaluate((el) => {
      const { top, bottom } = el.getBoundingClientRect();
      const lines = [...el.querySelectorAll('.text, .unread')].map((line) => ({ text: line.textContent.trim(), box: line.getBoundingClientRect() }));
      return lines
        .filter(({ box }) => box.top >= top && box.bottom <= bottom)
        .sort((a, b) => a.box.top - b.box.top)
        .map(({ text }) => text.split(':')[0]);
    });
  const under = async () => {
    const lines = await inView();
    return lines.includes('New') ? lines[lines.indexOf('New') + 1] : undefined;
  };
  const open = async (name, first) => {
    await row(name).click();
    await until(`the mark stands above “${first}”`, async () => (await under()) === first, 10_000).catch(async (err) => {
      throw new Error(`${err.message}; in view: ${(await inView()).join(', ')}; unread: ${await left()}`);
    });
  };
  const settled = async () => {
    let was = -1;
    return until('nothing more is read', async () => {
      await new Promise((resolve) => setTimeout(resolve, 1600)); // longer than a place is held, and what was read gathered
      const same = (await left()) === was;
      was = await left();
      return same;
    });
  };
  const away = async () => {
    await row('Notes to self').click();
    await ann.page.getByRole('log', { name: /Notes to self/ }).waitFor();
  };

  const steps = {
    'a chat with 150 unread messages is opened at the first': async () => {
      group = await together(ann, ben, title);
      direct = (await ben.call('ListChats', {})).chats.find((chat) => chat.kind === 'CHAT_KIND_DIRECT').id;
      await tell('Old', 70);
      await until('Ann has what is old', async () => (await left()) === 70);
      const { messages } = await ann.call('ListMessages', { chat: group, limit: 1 });
      await ann.call('MarkRead', { chat: group, cursor: messages[0].cursor });
      await tell('New', many);
      await until('Ann has what is new', async () => (await left()) === many);
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      await ann.page.goto(ann.login);
      await wide();
      await open(title, 'New 0');
      await settled();
      assert.ok((await inView()).some((line) => line.startsWith('Old')), 'something of what was read stands above the mark');
    },

    'what was in view counts as read, and what is below does not': async () => {
      const seen = (await inView()).filter((line) => /^New \d/.test(line)).length;
      const unread = await left();
      assert.ok(seen > 3 && Math.abs(many - unread - seen) <= 1, `${seen} are in view, and ${many - unread} count as read`);
      assert.equal(await belowCount(), unread);
      assert.deepEqual(await browser.checkAccess(ann.page, 'unread'), []);
      await away();
      await open(title, `New ${many - unread}`);
      await settled();
      if (pictures) await take('unread', ann.page);
      await wide();
    },

    'reading down loads more, and reads it': async () => {
      await log().hover();
      let before = await settled().then(() => left());
      await until(
        'the end is there',
        async () => {
          await ann.page.mouse.wheel(0, 500);
          await new Promise((resolve) => setTimeout(resolve, 120));
          const now = await left();
          assert.ok(now <= before, `${now} are unread after ${before}`);
          before = now;
          return (await inView()).includes(`New ${many - 1}`);
        },
        40_000,
      );
      await until('all is read', async () => (await left()) === 0);
      assert.equal(await below().count(), 0);
    },

    'whoever scrolls past much in one go has not read it, until the end': async () => {
      await away();
      await tell('Later', many);
      await until('it is there', async () => (await left()) === many);
      await open(title, 'Later 0');
      await settled();
      const unread = await left();
      await log().evaluate((el) => (el.scrollTop += 3500));
      await settled();
      assert.equal(await left(), unread);
      await away();
      await open(title, `Later ${many - unread}`);
    },

    'the button leads to the newest': async () => {
      await below().click();
      await until('the newest is in view', async () => (await inView()).includes(`Later ${many - 1}`));
      await until('all is read', async () => (await left()) === 0);
      assert.equal(await below().count(), 0);
    },

    'what comes while the window is not in front stays unread, and in view under the mark': async () => {
      const other = await ann.context.newPage();
      const focus = await ann.context.newCDPSession(ann.page);
      await focus.send('Emulation.setFocusEmulationEnabled', { enabled: false }); // else every page takes itself for the one in front
      await other.bringToFront();
      await tell('Aside', 3);
      await until('the mark stands above', async () => (await under()) === 'Aside 0' && (await inView()).includes('Aside 2'));
      await settled();
      assert.equal(await left(), 3);
      await ann.page.setViewportSize({ width: 900, height: 720 });
      await until('the end is still in view', async () => (await inView()).includes('Aside 2'));
      await wide();
      await tell('More', 40);
      await until('it is there', async () => (await left()) === 43);
      await settled();
      assert.equal(await left(), 43);
      assert.equal(await under(), 'Aside 0');
      assert.equal(await belowCount(), 43);
      await ann.page.bringToFront();
      await settled();
      assert.equal(await under(), 'Aside 0');
      assert.ok((await left()) > 20 && (await left()) < 40, `${await left()} of 43 are unread`);
      assert.equal(await belowCount(), await left());
      await below().click();
      await until('all is read', async () => (await left()) === 0);
      await focus.send('Emulation.setFocusEmulationEnabled', { enabled: true });
      await other.close();
    },

    'what comes while the tab is hidden stays unread until somebody looks': async () => {
      // A page without a screen is never hidden by itself, so it is told that it is.
      const hide = (state) =>
        ann.page.evaluate((to) => {
          Object.defineProperties(document, { visibilityState: { value: to, configurable: true }, hidden: { value: to === 'hidden', configurable: true } });
          document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
        }, state);
      await hide('hidden');
      await tell('Hidden', 40);
      await until('it is there', async () => (await left()) === 40);
      await settled();
      assert.equal(await left(), 40);
      await hide('visible');
      await until('the mark stands above', async () => (await under()) === 'Hidden 0');
      await settled();
      assert.ok((await left()) > 20 && (await left()) < 38, `${await left()} of 40 are unread`);
      await below().click();
      await until('all is read', async () => (await left()) === 0);
      await hide('hidden');
      await tell('One more', 1);
      await until('it is there', async () => (await left()) === 1);
      await hide('visible');
      await until('it is read', async () => (await left()) === 0);
    },

    'under a page it is the same': async () => {
      await away();
      await tell('Few', 30);
      await until('it is there', async () => (await left()) === 30);
      await open(title, 'Few 0');
      await settled();
      assert.ok((await left()) > 5, `${await left()} of 30 are unread`);
      assert.equal(await belowCount(), await left());
    },

    'a chat that was never read is opened at its beginning': async () => {
      await tell('First', 90, direct);
      await until('it is there', async () => (await left(direct)) === 90);
      await open('Ben', 'First 0');
      await settled();
      assert.ok((await left(direct)) > 60, `${await left(direct)} of 90 are unread`);
    },
  };
  return { steps, nodes };
}

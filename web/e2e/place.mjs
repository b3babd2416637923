// Where somebody reads in a long chat: the end stays in view as it grows, and
// nothing that is measured, loaded or said moves whoever reads elsewhere.
import assert from 'node:assert/strict';
import { KithNode, until } from './node.mjs';

const messages = 900;
const slow = 6; // times slower than this machine, as heights are then known late

export function place(browser) {
  const ann = new KithNode('Ann');
  let chat = '';
  let session;

  const log = () => ann.page.getByRole('log');
  const say = (text) => ann.call('Send', { chat, text, clientId: crypto.randomUUID() });
  const long = (i) => `Message ${i}. ${'It goes on for a while, as some do. '.repeat(i % 7)}`;
  const slower = (rate) => session.send('Emulation.setCPUThrottlingRate', { rate });
  const left = () => log().evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight);

  // The first message that is whole in view, and how far below the top.
  const reading = () =>
    log().evaluate((el) => {
      const top = el.getBoundingClientRect().top;
      for (const line of [...el.querySelectorAll('[role=article]')].sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)) {
        const at = line.getBoundingClientRect().top - top;
        if (at >= 0) return { text: line.querySelector('.text').textContent, at };
      }
      return undefined;
    });
  const still = async () => {
    let before;
    await until('nothing is loaded or measured any more', async () => {
      const now = await log().evaluate(async (el) => {
        for (let i = 0; i < 8; i++) await new Promise((done) => requestAnimationFrame(done));
        return `${el.scrollTop} ${el.scrollHeight}`;
      });
      const same = now === before;
      before = now;
      return same;
    });
  };

  async function open() {
    await ann.page.getByRole('link').filter({ hasText: 'Notes to self' }).first().click();
    await log().getByRole('article').last().waitFor();
  }

  const steps = {
    'a long chat is opened at its end': async () => {
      await ann.start();
      await ann.call('Setup', { name: 'Ann' });
      chat = (await ann.call('GetNode')).notesChatId;
      for (let i = 0; i < messages; i += 20) for (let k = 0; k < 20; k++) await say(long(i + k));
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      session = await ann.context.newCDPSession(ann.page);
      await ann.page.goto(await ann.open());
      await open();
      await still();
      assert.ok((await left()) <= 2, `${await left()} px from the end`);
    },

    'whoever scrolls up while heights are not known yet is not drawn back': async () => {
      for (let round = 0; round < 2; round++) {
        await ann.page.reload();
        await slower(slow);
        await open();
        const way = await log().evaluate(async (el) => {
          const from = el.scrollTop;
          for (let i = 0; i < 12; i++) {
            el.scrollTop -= 90;
            await new Promise((done) => requestAnimationFrame(done));
          }
          return from - el.scrollTop;
        });
        await slower(1);
        assert.ok(way > 500, `after ${12 * 90} px up it stands ${way} px up`);
        await still();
        await ann.page.getByRole('button', { name: 'To the newest' }).waitFor();
      }
    },

    'what is said while older messages load moves nobody who reads': async () => {
      for (let round = 0; round < 6; round++) {
        await log().evaluate((el) => (el.scrollTop = 700));
        await still();
        const before = await reading();
        await slower(slow);
        await log().evaluate((el) => (el.scrollTop -= 150)); // older ones are asked for
        await Promise.all([0, 1, 2].map((i) => say(`While you read, ${round} ${i}`)));
        await slower(1);
        await still();
        const after = await log().evaluate((el, text) => {
          const line = [...el.querySelectorAll('[role=article]')].find((l) => l.querySelector('.text').textContent === text);
          return line === undefined ? undefined : line.getBoundingClientRect().top - el.getBoundingClientRect().top;
        }, before.text);
        assert.ok(after !== undefined && Math.abs(after - before.at - 150) <= 4, `what stood ${before.at} px below the top stands at ${after} after 150 px`);
      }
    },

    'one click leads to the end, which stays in view as it grows': async () => {
      await ann.page.getByRole('button', { name: /new below$|^To the newest$/ }).click();
      await until('it is at the end', async () => (await left()) <= 2);
      await Promise.all(Array.from({ length: 12 }, (_, i) => say(long(i))));
      const last = long(6);
      await say(last);
      await log().getByText(last.trim()).last().waitFor();
      await still();
      assert.ok((await left()) <= 2, `${await left()} px from the end`);
      assert.equal(await ann.page.getByRole('button', { name: 'To the newest' }).count(), 0);
      await ann.page.setViewportSize({ width: 390, height: 500 });
      await still();
      assert.ok((await left()) <= 2, `${await left()} px from the end, of a window that became small`);
    },

    'what covers the chat for a while leaves the place as it was': async () => {
      const details = async () => {
        await ann.page.getByRole('link', { name: 'Search in this chat' }).click();
        await ann.page.getByRole('searchbox', { name: 'Search in Notes to self' }).waitFor();
        await log().waitFor({ state: 'hidden' });
        await ann.page.getByRole('link', { name: 'Close' }).click();
        await log().waitFor();
        await still();
      };
      await details();
      assert.ok((await left()) <= 2, `${await left()} px from the end`);
      await log().evaluate((el) => (el.scrollTop -= 5000));
      await still();
      const before = await reading();
      await details();
      const after = await reading();
      assert.equal(after.text, before.text);
      assert.ok(Math.abs(after.at - before.at) <= 4, `it stood ${before.at} px below the top, and stands at ${after.at}`);
      await ann.page.setViewportSize({ width: 1280, height: 780 });
      await ann.page.getByRole('button', { name: 'To the newest' }).click();
      await still();
      for (const width of [390, 1280]) {
        await ann.page.setViewportSize({ width, height: 780 });
        await still();
        assert.ok((await left()) <= 2, `${await left()} px from the end, of a window ${width} px wide`);
      }
    },
  };

  return { steps, nodes: [ann] };
}

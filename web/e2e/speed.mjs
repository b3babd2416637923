// What a conversation of ten thousand messages costs the page: the CPU time of
// its main thread for one message more, and for one frame of scrolling.
import assert from 'node:assert/strict';
import { KithNode, until } from './node.mjs';

const messages = 10_000;
const appendBar = 4; // ms of CPU for a message (docs/benchmarks.md)
const scrollBar = 8; // ms of CPU for a frame
const frames = 100;
const rounds = 5; // of which the cheapest counts: what else runs here makes each of them dearer, and none cheaper
const each = 20; // messages a round
const calm = 15; // ms of CPU that known work takes in a page at best (two cores, AMD EPYC)

/** knownWork lays out paragraphs, in the page, as drawing a message does. */
function knownWork() {
  const box = document.body.appendChild(document.createElement('div'));
  for (let i = 0; i < 40; i++) {
    box.replaceChildren(...Array.from({ length: 20 }, (_, k) => Object.assign(document.createElement('p'), { textContent: `Line ${k} of ${i}, of ordinary length` })));
    box.getBoundingClientRect();
  }
  box.remove();
}

export function speed(browser) {
  const ann = new KithNode('Ann');
  let chat = '';
  let cpu;

  const newest = async () => (await ann.call('ListMessages', { chat, limit: 1 })).messages.at(-1).text;
  const count = () => ann.page.evaluate(() => document.querySelectorAll('[role=log] .bubble').length);

  async function send(text) {
    await ann.call('Send', { chat, text, clientId: crypto.randomUUID() });
  }

  const steps = {
    [`${messages} messages are written`]: async () => {
      await ann.start();
      await ann.call('Setup', { name: 'Ann' });
      chat = (await ann.call('GetNode')).notesChatId;
      for (let i = 0; i < messages; i += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => send(`Message ${i + k}, of ordinary length: neither one word nor a letter.`)));
    },

    'all are loaded by scrolling up, and few are in the document': async () => {
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      await ann.page.goto(await ann.open());
      await ann.page.getByRole('navigation', { name: 'Chats' }).getByRole('link').first().click();
      await ann.page.getByRole('log').getByText(await newest()).waitFor();
      await until('the beginning is loaded', async () => {
        await ann.page.evaluate(async () => {
          const log = document.querySelector('[role=log]');
          log.scrollTop = 0;
          for (let frames = 0; frames < 4; frames++) await new Promise((done) => requestAnimationFrame(done));
        });
        await ann.page.getByText('Loading').waitFor({ state: 'detached' });
        return (await ann.page.getByText('A place for your own notes.').count()) > 0;
      }, 180_000);
      await ann.page.getByRole('button', { name: 'To the newest' }).waitFor();
      assert.ok((await count()) < 120, `${await count()} bubbles are in the document`);
      const session = await ann.context.newCDPSession(ann.page);
      await session.send('Performance.enable', { timeDomain: 'threadTicks' }); // CPU, not what others on this machine do
      cpu = async () => (await session.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value * 1000;
    },

    [`scrolling takes at most ${scrollBar} ms of CPU a frame`]: async () => {
      const begun = await cpu();
      await ann.page.evaluate(async (frames) => {
        const log = document.querySelector('[role=log]');
        for (let i = 0; i < frames; i++) {
          log.scrollTop += 180;
          await new Promise((done) => requestAnimationFrame(done));
        }
      }, frames);
      const moved = await ann.page.evaluate(() => document.querySelector('[role=log]').scrollTop);
      assert.ok(moved > 10_000 && moved < 40_000, `the page scrolled, to ${moved} px`);
      const cost = ((await cpu()) - begun) / frames;
      console.log(`      ${cost.toFixed(2)} ms a frame`);
      assert.ok(cost <= scrollBar, `${cost.toFixed(2)} ms a frame`);
    },

    [`one message more takes at most ${appendBar} ms of CPU`]: async () => {
      await ann.page.getByRole('button', { name: 'To the newest' }).click();
      await ann.page.getByRole('log').getByText(await newest()).waitFor();
      const costs = [];
      const known = [];
      for (let round = 0; round < rounds; round++) {
        const begun = await cpu();
        for (let i = 0; i < each; i++) await send(`One more, ${round} ${i}`);
        await ann.page.getByRole('log').getByText(`One more, ${round} ${each - 1}`, { exact: true }).waitFor();
        costs.push(((await cpu()) - begun) / each);
        const then = await cpu();
        await ann.page.evaluate(knownWork);
        known.push((await cpu()) - then);
      }
      // Caches and cores that are shared make the same work dearer: as much as they do the known work.
      const slowness = Math.max(1, Math.min(...known) / calm);
      const cost = Math.min(...costs) / slowness;
      console.log(`      ${costs.map((ms) => ms.toFixed(2)).join(', ')} ms a message, on a machine ${slowness.toFixed(2)} times slower than a calm one (${known.map((ms) => ms.toFixed(1)).join(', ')} ms)`);
      assert.ok(cost <= appendBar, `${cost.toFixed(2)} ms a message`);
    },
  };

  return { steps, nodes: [ann] };
}

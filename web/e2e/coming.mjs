// What has not arrived yet, and how the page tells of it: the newest is read while what
// was missed still comes, a newcomer sees how much of the time before is here, and whom a
// message has reached. Nodes are stopped in the middle of it, as a bad line would.
import assert from 'node:assert/strict';
import { accept, befriend, KithNode, together, until } from './node.mjs';
import { shooter } from './screens.mjs';

const missed = 4000; // messages: more than come in a few answers, and more than are on their way when who gives them stands still
const slice = 4; // ms that a node runs at a time where it is to be caught in between

export function coming(browser, pictures) {
  const [ann, ben, cleo, dan] = ['Ann', 'Ben', 'Cleo', 'Dan'].map((name) => new KithNode(name));
  const nodes = [ann, ben, cleo, dan];
  const title = 'Harbour crew';
  const take = shooter(browser);
  let group = '';

  const chat = (node) => node.call('GetChat', { chat: group });
  const log = (node) => node.page.getByRole('log');
  const say = (node, text) => node.call('Send', { chat: group, text, clientId: crypto.randomUUID() });

  async function open(node) {
    node.context = await browser.person();
    node.page = await node.context.newPage();
    await node.page.goto(await node.open());
    await node.page.getByRole('heading', { name: 'Chats' }).waitFor();
    await node.page.evaluate((to) => (location.hash = to), `#/chats/${group}`);
    await log(node).waitFor();
  }

  // Neither time nor what comes changes the page while its pictures are taken.
  async function shoot(name, node) {
    if (!pictures) return;
    node.freeze();
    await take(name, node.page);
    node.thaw();
    await node.page.setViewportSize({ width: 1440, height: 900 });
  }

  /** slowly lets a node run a little at a time until something is so, and leaves it stopped. */
  async function slowly(node, what, ask) {
    await until(what, async () => {
      node.thaw();
      await new Promise((done) => setTimeout(done, slice));
      node.freeze();
      return ask();
    });
  }

  const steps = {
    [`two write ${missed} messages while a third is away`]: async () => {
      group = await together(ann, ben, title);
      await cleo.start();
      await cleo.call('Setup', { name: 'Cleo' });
      const { person } = await befriend(ann, cleo);
      await ann.call('AddMembers', { group, persons: [person.id] });
      await accept(cleo, title);
      await until('all are in', async () => (await chat(ann)).members.filter((m) => m.accepted).length === 3);
      await say(cleo, 'See you on Monday.');
      await until('Ben has it', async () => (await chat(ben)).newest?.text === 'See you on Monday.');
      for (const node of [ann, ben, cleo]) node.listen = (await node.call('GetNode')).addresses[0]; // they find each other where they were
      await cleo.kill();
      for (let i = 1; i < missed - 20; i += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => say(k % 2 ? ann : ben, `Crossing ${i + k}: wind from the west, all aboard.`)));
      for (let i = missed - 19; i <= missed; i++) await say(i % 3 ? ann : ben, `Crossing ${i}: wind from the west, all aboard.`);
      await say(ann, 'Cleo, are you back?');
      await until('Ben has it', async () => (await chat(ben)).newest?.text === 'Cleo, are you back?');
      await Promise.all([ann.kill(), ben.kill()]);
    },

    'who comes back reads the newest first, and how many are coming from whom': async () => {
      await cleo.start();
      await open(cleo);
      await log(cleo).getByText('See you on Monday.').waitFor();
      await ben.start();
      await slowly(ben, 'the newest are here', async () => ((await chat(cleo)).missingFrom ?? []).length > 0);
      await log(cleo).getByText('Cleo, are you back?').waitFor();
      const here = log(cleo).getByText('Earlier messages are still to come here.');
      assert.equal(await here.count(), 0, 'above the first that waits, and nowhere else');
      const said = /^([\d,]+) earlier messages are coming from Ben\.$/;
      const notice = cleo.page.getByRole('status').filter({ hasText: said });
      await notice.waitFor();
      const count = Number(said.exec(await notice.innerText())[1].replace(',', ''));
      assert.ok(count > missed / 2 && count <= missed, `${count} of ${missed} are coming`);
      await log(cleo).evaluate((list) => list.scrollTo(0, 0));
      await until('it is said once among the messages', async () => (await here.count()) === 1);
      assert.deepEqual(await browser.checkAccess(cleo.page, 'what is coming'), []);
      await shoot('coming', cleo);
      ben.thaw();
      await notice.waitFor({ state: 'detached' });
      // Who was silent, and gave nothing then, is asked again 5 s later, and 10 s after that.
      await until('all is here', async () => (await cleo.call('ListMessages', { chat: group, limit: 500 })).messages.every((m) => !m.earlierComing), 45_000);
      await here.waitFor({ state: 'detached' });
    },

    'a newcomer sees how much of the time before is here, and that it is all': async () => {
      await ann.start();
      await ann.call('SetHistory', { group, history: { kind: 'HISTORY_KIND_ALL' } });
      await dan.start();
      await dan.call('Setup', { name: 'Dan' });
      const { person } = await befriend(ann, dan);
      await Promise.all([ben.kill(), cleo.kill()]);
      await ann.call('AddMembers', { group, persons: [person.id] });
      await until('Dan is invited', async () => ((await dan.call('ListChats')).chats ?? []).some((c) => c.state === 'CHAT_STATE_INVITED'));
      ann.freeze();
      await accept(dan, title);
      await open(dan);
      await slowly(ann, 'some of it is here', async () => ((await chat(dan)).earlier?.have ?? 0) > 0);
      const told = dan.page.getByRole('status').filter({ hasText: /^What was said before you came is being fetched\. [\d,]+ of [\d,]+ here\.$/ });
      await told.waitFor();
      assert.deepEqual(await browser.checkAccess(dan.page, 'the time before is fetched'), []);
      await shoot('handover', dan);
      ann.thaw();
      await told.waitFor({ state: 'detached' });
      await until('all of it is here', async () => (await chat(dan)).earlier?.whole === true);
      await dan.kill();
    },

    'whom a message has reached is told by name while it is not everybody': async () => {
      await cleo.start();
      await open(ann);
      await ann.page.getByRole('button', { name: /new below$/ }).click(); // she has read nothing yet
      await until('Cleo is here', async () => (await chat(ann)).connected === 1);
      await say(ann, 'Who is up already?');
      const ticks = log(ann).getByRole('button', { name: 'Reached 1 of 3' });
      await ticks.getByText('1 of 3', { exact: true }).waitFor();
      await ticks.click();
      const dialog = ann.page.getByRole('dialog', { name: 'Who has it' });
      const row = (name) => dialog.getByRole('listitem').filter({ hasText: name });
      await row('Cleo').getByText('Has it').waitFor();
      for (const name of ['Ben', 'Dan']) await row(name).getByText('Not yet').waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'reached some'), []);
      await shoot('reached-some', ann);
      await ann.page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    },

    'who writes to nobody for long is told why no more is kept, and what to do': async () => {
      await cleo.kill();
      const refusals = [];
      while (refusals.length === 0) await Promise.all(Array.from({ length: 25 }, (_, i) => say(ann, `To nobody, ${i}`).catch((err) => refusals.push(String(err)))));
      assert.match(refusals[0], /Nobody else has confirmed your last messages/);
      await ann.page.getByRole('textbox', { name: `Write to ${title}` }).fill('Is anybody there?');
      await ann.page.keyboard.press('Enter');
      const refused = log(ann).getByRole('alert');
      await refused.getByText('Nobody else has confirmed your last messages', { exact: false }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'refused'), []);
      await ann.page.getByRole('link').filter({ hasText: title }).getByText('Not sent: Is anybody there?').waitFor();
      await shoot('refused', ann);
      await cleo.start();
      await until('Cleo has it all', async () => (await chat(cleo)).newest?.text.startsWith('To nobody') && ((await chat(cleo)).missing ?? 0) === 0);
      await until('it is sent', async () => {
        if ((await refused.count()) > 0) await refused.getByRole('button', { name: 'Retry' }).click();
        return (await chat(ann)).newest?.text === 'Is anybody there?';
      });
      await refused.waitFor({ state: 'detached' });
    },
  };

  return { steps, nodes };
}

// How each person is reached: on the screen of the network, over the chat, and
// under what waits. What takes routers, relays and mailboxes is looked at with
// answers made here (`all`), by a page without a worker.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { accept, befriend, KithNode, together, until } from './node.mjs';
import { shooter } from './screens.mjs';

export function network(browser, pictures) {
  const [ann, ben, cleo] = ['Ann', 'Ben', 'Cleo'].map((name) => new KithNode(name));
  const nodes = [ann, ben, cleo];
  const title = 'Harbour crew';
  const take = shooter(browser);
  let direct = '';

  const shoot = async (name, page = ann.page) => {
    const wide = page.viewportSize();
    if (pictures) await take(name, page);
    assert.deepEqual(await browser.checkAccess(page, name), []);
    await page.setViewportSize(wide);
  };
  const go = (fragment, page = ann.page) => page.evaluate((to) => (location.hash = to), `#/${fragment}`);
  const picture = (who, state, page = ann.page) => page.getByRole('img', { name: new RegExp(`^From this computer.*, to ${who}: ${state}$`) });
  const row = (who, page = ann.page) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: who, exact: true }) });
  const screen = (page = ann.page) => page.getByRole('heading', { name: 'How each person is reached' });
  const bar = () => ann.page.locator('header').filter({ has: ann.page.getByRole('heading', { name: 'Ben', exact: true }) });

  const steps = {
    'who is connected is shown so, and by what way': async () => {
      const group = await together(ann, ben, title);
      await cleo.start();
      await cleo.call('Setup', { name: 'Cleo' });
      const { person } = await befriend(ben, cleo);
      await ann.call('SetRole', { group, person: (await ann.call('GetChat', { chat: group })).members.find((m) => m.person.name === 'Ben').person.id, role: 'ROLE_ADMIN' });
      await until('Ben adds Cleo', () => ben.call('AddMembers', { group, persons: [person.id] }).then(() => true, () => false));
      await accept(cleo, title);
      direct = (await ann.call('ListFriends')).friends.find((f) => f.person.name === 'Ben').chatId;
      ann.context = await browser.person();
      ann.page = await ann.context.newPage();
      await ann.page.goto(ann.login);
      await ann.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await go('settings');
      await ann.page.getByRole('link', { name: 'Network' }).click();
      await screen().waitFor();
      await ann.page.getByText('Only this machine reaches you', { exact: false }).waitFor();
      await picture('Ben', 'connected').waitFor();
      await row('Ben').getByText(/^Ben is connected directly/).waitFor();
      await row('Ben').getByText(/^Since \d\d:\d\d$/).waitFor();
    },

    'members who are no friends stand apart, and unfold by the keyboard': async () => {
      const fold = ann.page.locator('summary', { hasText: '1 member of your groups who is no friend' });
      await fold.waitFor();
      assert.equal(await picture('Cleo', '.*').isVisible(), false);
      await shoot('network');
      await fold.focus();
      await ann.page.keyboard.press('Enter');
      await picture('Cleo', 'connected').waitFor();
    },

    'a chat of two, its details and the list of people say it too, and lead there': async () => {
      await go(`chats/${direct}`);
      await bar().getByText('Here now').waitFor();
      await bar().getByRole('link', { name: /^directly/ }).click();
      await screen().waitFor();
      await go(`chats/${direct}/details`);
      await ann.page.locator('.side').getByRole('link', { name: /^directly/ }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'details of two'), []);
      await go('people');
      await ann.page.getByText('Here now, directly').waitFor();
      await ann.page.getByRole('button', { name: 'Actions for Ben' }).click();
      await ann.page.getByRole('menuitem', { name: 'How they are reached' }).click();
      await screen().waitFor();
    },

    'what waits says for whom, and why': async () => {
      await go(`chats/${direct}`);
      await bar().getByText('Here now').waitFor();
      await ben.kill();
      await bar().getByText('Not here now').waitFor({ timeout: 40_000 });
      await bar().getByRole('link', { name: /^(being tried|tried again in)/ }).waitFor();
      await ann.page.getByRole('textbox', { name: 'Write to Ben' }).fill('Is the boat in?');
      await ann.page.keyboard.press('Enter');
      const log = ann.page.getByRole('log');
      await log.getByText('Kept here. Ben gets it when their Kith and yours are on together.').waitFor();
      await log.getByText('Kept here, waiting for Ben: their program is off, or has moved.').waitFor();
      await shoot('waiting');
    },

    'who is off is shown so, with the next try by the second': async () => {
      await go('settings/network');
      await picture('Ben', '(not connected|being tried)').waitFor();
      await row('Ben').getByText('1 message waits').waitFor();
      await row('Ben').getByText(/^Ben does not answer/).waitFor();
      const next = row('Ben').getByText(/^Next try (in \d+s|now)$/);
      await until('it is counted down', async () => {
        const left = (text) => Number(/\d+/.exec(text ?? '')?.[0] ?? 0);
        const said = new Set();
        for (let i = 0; i < 40; i++) {
          said.add(left(await next.textContent({ timeout: 200 }).catch(() => '')));
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
        said.delete(0);
        return said.size > 1;
      }, 30_000);
      await until('a try is told', async () => (await row('Ben').getByText(/^Trying one address \(try \d+\)$/).count()) === 1);
      await shoot('network-off');
    },

    'who comes back is shown so by itself': async () => {
      await ben.start();
      await picture('Ben', 'connected').waitFor({ timeout: 30_000 });
      await row('Ben').getByText('1 message waits').waitFor({ state: 'detached' });
    },

    'what is no address of a mailbox is refused in plain words': async () => {
      const field = ann.page.getByRole('textbox', { name: 'Address of a mailbox' });
      await field.fill('https://example.org/');
      await field.press('Enter');
      await ann.page.getByRole('alert').getByText('This is no mailbox address.', { exact: false }).waitFor();
      assert.equal(await field.inputValue(), 'https://example.org/');
      await field.fill('');
    },

    'while Kith is off, the line that says so leads there': async () => {
      await go(`chats/${direct}`);
      await ann.page.getByRole('log').waitFor();
      await ann.kill();
      const line = ann.page.getByRole('status').filter({ hasText: 'Offline, trying again' });
      await line.getByRole('link', { name: 'Network' }).click();
      await ann.page.getByText('Kith is not running on this computer, so nobody is reached.', { exact: false }).waitFor();
      assert.deepEqual(await browser.checkAccess(ann.page, 'network, away'), []);
      await ann.start();
    },

    'every way has its picture, and what is switched is asked of the node (answers made here)': async () => {
      const page = await all(browser, ann);
      await picture('Ben', 'connected', page).waitFor();
      assert.deepEqual(
        await page.getByRole('img', { name: /^From this computer/ }).evaluateAll((list) => list.slice(0, 5).map((e) => e.getAttribute('aria-label'))),
        [
          'From this computer, over your router, to Ben: connected',
          'From this computer, over the same network, to Cleo: connected',
          'From this computer, over your router, over the relay of Ben, to Dan: connected',
          'From this computer, over your router, over a mailbox, to Eli: by way of the mailbox',
          'From this computer, over your router, to Finn: being tried',
        ],
      );
      await shoot('network-all', page);
      for (const [name, change] of Object.entries({ 'Ask my router to let others in': { portMapping: false }, 'Carry for friends who cannot be reached': { relay: false }, 'Find friends again whose address has changed': { rendezvous: false } })) {
        const box = page.getByRole('checkbox', { name });
        assert.ok(await box.isChecked(), name);
        await box.focus();
        await page.keyboard.press('Space');
        await until(`${name} is off`, async () => !(await box.isChecked()) && isDeepStrictEqual(page.asked.at(-1), change));
      }
      const quiet = page.getByRole('checkbox', { name: 'Come at drawn times', exact: false });
      await quiet.focus();
      await page.keyboard.press('Space');
      await until('it is asked to come at drawn times', () => isDeepStrictEqual(page.asked.at(-1), { quietMail: true }));
      await page.getByRole('button', { name: 'Remove the mailbox box.example.org:4700' }).click();
      await until('it is asked', () => page.asked.at(-1)?.id === 'b1');
      await page.getByText('You use none', { exact: false }).waitFor();
      await page.close();
    },

    'somebody among many is found by name (answers made here)': async () => {
      const page = await all(browser, ann, 20);
      await picture('Friend 19', 'not connected', page).waitFor();
      await page.getByRole('searchbox', { name: 'Find somebody by name' }).fill('eli');
      await until('one is left', async () => (await page.getByRole('img', { name: /^From this computer/ }).count()) === 1);
      await picture('Eli', '.*', page).waitFor();
      await page.getByRole('searchbox').fill('zoe');
      await page.getByText('Nobody here has that name.').waitFor();
      assert.deepEqual(await browser.checkAccess(page, 'nobody found'), []);
      await page.close();
    },
  };

  return { steps, nodes };
}

/** all opens the screen with every state there is, and keeps what it asks the node for in page.asked. */
async function all(browser, node, more = 0) {
  const now = Date.now();
  const ago = (minutes) => String(now - minutes * 60_000);
  const friend = (name, path) => ({ person: { id: name.toLowerCase(), name, friend: true }, ...path });
  const answer = {
    reachability: 'REACHABILITY_LAN',
    sentence: 'Others reach you over the Internet: your router lets them in.',
    addresses: ['192.168.1.20:4600', '203.0.113.7:4600'],
    router: { nat: 'NAT_STEADY', asking: true, way: 'PCP', external: '203.0.113.7:4600', sentence: 'Your router shows everybody the same port of yours: two behind such routers can connect directly, once somebody brings them together.' },
    paths: [
      friend('Ben', { kind: 'quic', since: ago(42), sentence: 'Ben is connected directly.' }),
      friend('Cleo', { kind: 'lan', since: ago(180), sentence: 'Cleo is connected on the same local network.' }),
      friend('Dan', { kind: 'relay', by: 'Ben', since: ago(7), sentence: 'Dan is connected through a relay, which sees that you two talk, when and how much, and nothing of what is said.' }),
      friend('Eli', { kind: 'mailbox', since: ago(90), waiting: 3, sentence: 'Eli is off. What you write waits in a mailbox.' }),
      friend('Finn', { stage: 'trying 2 addresses', tries: '2', waiting: 1, sentence: 'Trying to reach Finn at 2 addresses.' }),
      friend('Gus with a rather long name that nobody would shorten', { tries: '14', nextTry: String(now + 3_500_000), waiting: 12, sentence: 'Gus does not answer at one address: their program is off, or has moved. It is tried again by itself.' }),
      friend('Hana', { sentence: 'No address of Hana is known. They are found when their program finds yours, over a common group, or by a new contact link of either of you.' }),
      ...Array.from({ length: more }, (_, i) => friend(`Friend ${i}`, { tries: '3', nextTry: String(now + 3_500_000), sentence: `Friend ${i} does not answer at one address: their program is off, or has moved. It is tried again by itself.` })),
      { person: { id: 'ivo', name: 'Ivo' }, kind: 'quic', sentence: 'Ivo is connected directly.' },
    ],
    relays: [{ name: 'Ben', address: '198.51.100.4:4600', ready: true, sentence: 'Others can come to you through Ben’s computer.' }],
    relaying: { on: true, reserved: 2, circuits: 1, bytes: '48200000', bytesDay: '1000000000', sentence: 'What friends say to each other goes through your computer, sealed: it sees who talks with whom, when and how much, and nothing of what is said.' },
    rendezvous: { on: true, running: true, nodes: 84, published: ago(12), found: ago(300), sentence: 'Friends leave their addresses, sealed, in the public table of BitTorrent. It sees your network address, and neither who you are nor whom you look for.' },
    mailboxes: [{ id: 'b1', address: 'box.example.org:4700', ready: true, asked: ago(3), left: 3, sentence: 'It answers. It sees sealed items of one size, and neither who left them nor for which group.' }],
  };
  const context = await browser.person();
  const page = await context.newPage();
  page.asked = [];
  await page.addInitScript(() => delete globalThis.SharedWorker); // what a worker asks is out of reach
  const json = (route) => route.fulfill({ contentType: 'application/json', body: JSON.stringify(answer) });
  await page.route('**/GetNetwork', json);
  for (const verb of ['SetNetwork', 'RemoveMailbox'])
    await page.route(`**/${verb}`, (route) => {
      const change = route.request().postDataJSON();
      page.asked.push(change);
      if ('relay' in change) answer.relaying.on = change.relay;
      if ('rendezvous' in change) answer.rendezvous.on = change.rendezvous;
      if ('portMapping' in change) answer.router.asking = change.portMapping;
      if ('quietMail' in change) answer.quietMail = change.quietMail;
      if ('id' in change) answer.mailboxes = [];
      return json(route);
    });
  await page.goto(await node.open());
  await page.getByRole('heading', { name: 'Chats' }).waitFor();
  await page.evaluate(() => (location.hash = '#/settings/network'));
  await page.getByRole('heading', { name: 'How each person is reached' }).waitFor();
  return page;
}

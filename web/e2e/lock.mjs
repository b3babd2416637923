// A home with a passphrase: given on the page, locked, and opened again. Locked, no
// page shows anything of it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KithNode, until } from './node.mjs';
import { shooter } from './screens.mjs';

const horse = 'correct horse';

export function lock(browser, pictures) {
  const take = shooter(browser);
  const ann = new KithNode('Ann');
  let second;

  const title = (page) => page.getByRole('heading', { name: 'Kith is locked.' });
  const shows = async (page, text) => (await page.locator('body').innerText()).includes(text);
  const press = (name) => ann.page.getByRole('button', { name, exact: true }).click();
  const settings = async () => {
    await ann.page.evaluate(() => (location.hash = '#/settings/lock'));
    await ann.page.getByRole('heading', { name: 'Passphrase and lock' }).waitFor();
  };
  const type = async (passphrase) => {
    await ann.page.getByLabel('Passphrase').fill(passphrase);
    await press('Open');
  };

  // On a wide light screen and on a dark phone.
  async function access(page, screen) {
    const wide = page.viewportSize();
    const wrong = await browser.checkAccess(page, `${screen}, wide`);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    wrong.push(...(await browser.checkAccess(page, `${screen}, phone`)));
    await page.setViewportSize(wide);
    await page.emulateMedia({ colorScheme: 'light' });
    if (pictures) {
      await take(`lock-${screen.replaceAll(' ', '-')}`, page);
      await page.setViewportSize(wide);
    }
    assert.deepEqual(wrong, []);
  }

  return {
    nodes: [ann],
    steps: {
      'a passphrase is given under Settings': async () => {
        const context = await browser.person();
        ann.page = await context.newPage();
        await ann.page.goto(await ann.start());
        await ann.page.getByLabel('What should your friends call you?').fill('Ann');
        await press('Start');
        await ann.page.getByRole('heading', { name: 'Chats' }).waitFor();
        const { notesChatId } = await ann.call('GetNode');
        await ann.call('Send', { chat: notesChatId, text: 'the harbour code is 4711', clientId: crypto.randomUUID() });
        await settings();
        await ann.page.getByLabel('New passphrase', { exact: true }).fill(horse);
        await ann.page.getByLabel('New passphrase once more').fill('another');
        await press('Set passphrase');
        await ann.page.getByText('The two are not the same').waitFor();
        await access(ann.page, 'a passphrase');
        await ann.page.getByLabel('New passphrase', { exact: true }).fill(horse);
        await ann.page.getByLabel('New passphrase once more').fill(horse);
        await press('Set passphrase');
        await ann.page.getByText('This home opens by your passphrase alone.').waitFor();
        await ann.page.getByLabel('15 minutes').check();
        await until('the minutes are kept', async () => (await ann.call('GetSettings')).lockAfter === 15);
        await access(ann.page, 'passphrase and lock');
        second = await context.newPage();
        await second.goto(ann.address);
        await second.getByText('the harbour code is 4711').first().waitFor();
      },

      'locked, no window shows anything': async () => {
        await press('Lock Kith now');
        for (const page of [ann.page, second]) {
          await title(page).waitFor();
          assert.equal(await shows(page, '4711'), false);
        }
        await access(ann.page, 'locked');
        ann.token = undefined;
        await assert.rejects(ann.call('ListChats'), /Kith is locked/);
      },

      'a wrong passphrase says so, the right one opens': async () => {
        await type('correct cow');
        await ann.page.getByText('The passphrase is wrong.').waitFor();
        assert.equal(await ann.page.getByLabel('Passphrase').inputValue(), '');
        await type(horse);
        await ann.page.getByRole('heading', { name: 'Passphrase and lock' }).waitFor(); // where it was
        await ann.page.evaluate(() => (location.hash = '#/chats'));
        for (const page of [ann.page, second]) await page.getByText('the harbour code is 4711').first().waitFor();
      },

      'a reload while it is locked, and an unlock in a terminal': async () => {
        ann.token = undefined;
        await ann.call('Lock');
        await title(ann.page).waitFor();
        await ann.page.reload();
        await title(ann.page).waitFor();
        const file = join(ann.home, 'passphrase');
        writeFileSync(file, `${horse}\n`, { mode: 0o600 });
        ann.verb('unlock', '--passphrase-file', file);
        await ann.page.getByRole('heading', { name: 'This page is locked.' }).waitFor(); // open, and this page has no login
        await ann.page.goto(await ann.open());
        await ann.page.getByText('the harbour code is 4711').first().waitFor();
      },

      'the passphrase is taken off': async () => {
        await settings();
        await ann.page.locator('#remove-now').fill(horse);
        await press('Take it off');
        await ann.page.getByText('This home has no passphrase').waitFor();
      },
    },
  };
}

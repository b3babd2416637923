// A second device, in two browsers: the link that the first page shows is pasted into the
// second, both show the same digits, and from then on both are Ann's.
import assert from 'node:assert/strict';
import { KithNode, together, until } from './node.mjs';
import { shooter } from './screens.mjs';

export function devices(browser, pictures) {
  const [ann, ben, phone] = ['Ann', 'Ben', 'Phone'].map((name) => new KithNode(name));
  const nodes = [ann, ben, phone];
  const take = shooter(browser);
  const title = 'Harbour crew';
  let group = '';

  async function open(node, login) {
    node.context = await browser.person();
    node.page = await node.context.newPage();
    await node.page.goto(login ?? (await node.open()));
  }

  async function shoot(name, node) {
    assert.deepEqual(await browser.checkAccess(node.page, name), []);
    if (!pictures) return;
    await take(name, node.page);
    await node.page.setViewportSize({ width: 1440, height: 900 });
  }

  const digitsOf = async (node) => {
    const shown = node.page.locator('[data-digits]');
    await shown.waitFor();
    return shown.getAttribute('data-digits');
  };

  const steps = {
    'the first device shows a link for a new one': async () => {
      group = await together(ann, ben, title);
      await ann.call('Send', { chat: group, text: 'Said before.', clientId: crypto.randomUUID() });
      await open(ann);
      await ann.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await ann.page.evaluate(() => (location.hash = '#/settings/devices'));
      await ann.page.getByText('This device').waitFor();
      await ann.page.getByRole('button', { name: 'Link a new device' }).click();
      await ann.page.getByRole('img', { name: 'QR code of the link for a new device' }).waitFor();
      await shoot('devices-link', ann);
    },
    'a new device takes it, and both show the same digits': async () => {
      const link = await ann.page.locator('[data-link^="kithdevice:"]').getAttribute('data-link');
      await open(phone, await phone.start());
      await phone.page.getByRole('button', { name: 'I use Kith already' }).click();
      await phone.page.getByLabel('The link that it shows').fill('kith:nothing');
      await phone.page.getByRole('button', { name: 'Link', exact: true }).click();
      await phone.page.getByText('This is no link for a device.').waitFor();
      await shoot('devices-join', phone);
      await phone.page.getByLabel('The link that it shows').fill(link);
      await phone.page.getByLabel('What this device is to be called').fill('Pocket computer');
      await phone.page.getByRole('button', { name: 'Link', exact: true }).click();
      const [there, here] = [await digitsOf(phone), await digitsOf(ann)];
      assert.match(there, /^[0-9]{6}$/);
      assert.equal(here, there);
      await ann.page.getByText('Pocket computer wants to be linked').waitFor();
      await shoot('devices-compare', ann);
      await shoot('devices-compare-new', phone);
    },
    'once it is confirmed it has the friends, the chats and what was said': async () => {
      await ann.page.getByRole('button', { name: 'They are the same' }).click();
      await ann.page.getByText('Pocket computer is linked.').waitFor();
      await phone.page.getByRole('heading', { name: 'Chats' }).waitFor();
      await phone.page.getByRole('link', { name: title }).click();
      await phone.page.getByRole('log').getByText('Said before.').waitFor();
      await shoot('devices', ann);
    },
    'what is written at one stands at the other, and with the others': async () => {
      const writing = phone.page.getByRole('textbox', { name: /^Write / });
      await writing.fill('From my pocket.');
      await writing.press('Enter');
      await until('Ben has it', async () => (await ben.call('GetChat', { chat: group })).newest?.text === 'From my pocket.');
      await ann.page.evaluate((to) => (location.hash = `#/chats/${to}`), group);
      await ann.page.getByRole('log').getByText('From my pocket.').waitFor();
    },
    'a lost device is revoked, and told when it comes back': async () => {
      await phone.kill();
      await ann.page.evaluate(() => (location.hash = '#/settings/devices'));
      await ann.page.getByRole('button', { name: 'Revoke', exact: true }).click();
      const dialog = ann.page.getByRole('dialog');
      await dialog.getByText('Revoke Pocket computer?').waitFor();
      await shoot('devices-revoke', ann);
      await dialog.getByRole('button', { name: 'Revoke', exact: true }).click();
      await ann.page.getByText('Revoked', { exact: true }).waitFor();
      await shoot('devices-revoked', ann);
      await open(phone, await phone.start());
      await phone.page.getByText('This device was revoked').first().waitFor();
    },
  };
  return { steps, nodes };
}

// What is new as a file: two who are never on at the same time, and have no
// network between them, carry it from one page to the other.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { codesShown, film } from './film.mjs';
import { KithNode, together, until } from './node.mjs';
import { shooter } from './screens.mjs';

export function bundles(browser, pictures) {
  const [ann, ben] = ['Ann', 'Ben'].map((name) => new KithNode(name));
  const title = 'Harbour crew';
  const take = shooter(browser);
  let group = '';
  let file = '';
  let codes = [];

  const open = async (node, fragment) => {
    node.context ??= await browser.person();
    node.page = await node.context.newPage();
    await node.page.goto(await node.open());
    await node.page.getByRole('heading', { name: 'Chats' }).waitFor();
    await node.page.evaluate((to) => (location.hash = to), `#/${fragment}`);
  };
  const shoot = async (name, page, again) => {
    const wide = page.viewportSize();
    if (pictures) await take(name, page, again);
    assert.deepEqual(await browser.checkAccess(page, name), []);
    await page.setViewportSize(wide);
  };
  const dialog = () => ann.page.getByRole('dialog', { name: 'Carry by file' });
  const files = () => ben.page.getByRole('region', { name: 'Files from others' });
  const read = () => files().getByRole('button', { name: 'Read from a camera' }).click();
  const choose = (chosen) => files().locator('input[type=file]').setInputFiles(chosen);

  const steps = {
    'what Ann wrote while Ben was off is saved as a file': async () => {
      group = await together(ann, ben, title);
      await open(ann, `chats/${group}/details`);
      await ben.kill();
      await ann.call('Send', { chat: group, text: 'The mast is up' });
      await ann.page.getByRole('button', { name: 'Carry by file' }).click();
      const saving = ann.page.waitForEvent('download');
      await dialog().getByRole('button', { name: 'Save the file' }).click();
      const saved = await saving;
      assert.equal(saved.suggestedFilename(), 'Harbour-crew.kith');
      file = await saved.path();
      assert.ok(statSync(file).size > 4096);
      await dialog().getByText(/^Harbour-crew\.kith: 1 message in Harbour crew, in [\d.]+ kB\. They take it in under Settings, Network\.$/).waitFor();
      await shoot('carry', ann.page);
      assert.ok(!readFileSync(file).includes('mast'));
    },

    'what she writes then is shown as pictures for a camera': async () => {
      await ann.call('Send', { chat: group, text: 'The sail is on' });
      await dialog().getByRole('button', { name: 'Show for a camera' }).click();
      const said = await dialog().getByText(/^2 messages in Harbour crew, in \d+ pictures\. They hold/).innerText();
      codes = await codesShown(ann.page, Number(/(\d+) pictures/.exec(said)[1]));
      await dialog().getByRole('button', { name: 'Pause' }).click();
      await shoot('pictures', ann.page);
      await dialog().getByRole('button', { name: 'Go on' }).waitFor();
      await dialog().getByRole('button', { name: 'Back' }).click();
      await dialog().getByRole('button', { name: 'Save the file' }).waitFor();
    },

    'Ben takes it in, while Ann is off': async () => {
      await ann.kill();
      await ben.start();
      await open(ben, 'settings/network');
      await files().waitFor();
      await choose(file);
      await files().getByText(/^From Ann, made .*: 1 message in Harbour crew\.$/).waitFor();
      await shoot('carried', ben.page, () => files().scrollIntoViewIfNeeded());
      await ben.page.evaluate((to) => (location.hash = to), `#/chats/${group}`);
      await ben.page.getByRole('log').getByText('The mast is up').waitFor();
    },

    'the same file again changes nothing': async () => {
      await ben.page.evaluate(() => (location.hash = '#/settings/network'));
      await choose(file);
      await files().getByText(/^From Ann, made .*: all of it was here already\.$/).waitFor();
    },

    'a damaged file and one of something else are refused in one sentence': async () => {
      const bytes = readFileSync(file);
      bytes[bytes.length >> 1] ^= 1;
      const refused = () => files().getByRole('alert').innerText();
      await choose({ name: 'damaged.kith', mimeType: 'application/octet-stream', buffer: bytes });
      const damaged = await until('it is refused', refused);
      assert.match(damaged, /was changed on its way; nothing of it was taken/);
      await choose({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Bring the rope') });
      const foreign = await until('the other is refused', async () => ((await refused()) === damaged ? '' : refused()));
      assert.match(foreign, /^This is no bundle of Kith/);
      assert.equal(await files().getByRole('status').innerText(), '');
    },

    'a file can be dropped there': async () => {
      const bytes = [...readFileSync(file)];
      await files().getByRole('group').evaluate((place, list) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(list)], 'a.kith'));
        place.dispatchEvent(new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true }));
        place.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
      }, bytes);
      await files().getByText(/all of it was here already\.$/).waitFor();
    },

    'without a camera, or where the page may not use it, Ben is told what to do': async () => {
      await read();
      await files().getByText('There is no camera here. Take in a file instead.').waitFor();
      film(browser.film, codes);
      await read();
      await files().getByText(/The browser does not let this page use the camera\./).waitFor();
    },

    'his camera sees half of the pictures, and he stops': async () => {
      const half = codes.length >> 1;
      film(browser.film, codes.slice(0, half));
      await ben.context.grantPermissions(['camera']);
      await read();
      await files().getByText(`${half} of ${codes.length} pictures read.`).waitFor({ timeout: 60_000 });
      await shoot('camera', ben.page, () => files().scrollIntoViewIfNeeded());
      await files().getByRole('button', { name: 'Stop' }).click();
      await files().getByLabel('What the camera sees').waitFor({ state: 'detached' });
    },

    'it sees all of them, and he has what she wrote': async () => {
      film(browser.film, codes);
      await read();
      await files().getByText(/^From Ann, made .*: 1 message in Harbour crew\.$/).waitFor({ timeout: 60_000 });
      await files().getByRole('button', { name: 'Read from a camera' }).waitFor();
      await ben.page.evaluate((to) => (location.hash = to), `#/chats/${group}`);
      await ben.page.getByRole('log').getByText('The sail is on').waitFor();
    },
  };
  return { steps, nodes: [ann, ben] };
}

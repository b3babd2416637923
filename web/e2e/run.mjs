// Drives the built page, served by real kith processes, in a real Chromium:
// `node e2e/run.mjs` plays the story and measures a long conversation;
// with `screens` it takes the pictures in web/screenshots anew. A name of one
// part (story, devices, fork, settle, search, said, history, coming, mentions, network, bundles, unread, place, lock, speed, screens) runs that part alone; `pictures` takes
// those of it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { launch } from './browser.mjs';
import { bundles } from './bundles.mjs';
import { coming } from './coming.mjs';
import { devices } from './devices.mjs';
import { fork } from './fork.mjs';
import { history } from './history.mjs';
import { lock } from './lock.mjs';
import { mentions } from './mentions.mjs';
import { network } from './network.mjs';
import { place } from './place.mjs';
import { said } from './said.mjs';
import { screens } from './screens.mjs';
import { search } from './search.mjs';
import { settle } from './settle.mjs';
import { speed } from './speed.mjs';
import { story } from './story.mjs';
import { unread } from './unread.mjs';

const wanted = process.argv.slice(2);
const does = (name) => (wanted.length === 0 ? name !== 'screens' : wanted.includes(name));

let passed = 0;
let failed = 0;

async function step(name, work, log = console.log) {
  const begun = Date.now();
  try {
    await work();
    passed++;
    log(`ok    ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    return true;
  } catch (err) {
    failed++;
    log(`FAIL  ${name}\n${String(err.stack ?? err).replace(/^/gm, '      ')}`);
    return false;
  }
}

async function tell(name, { steps, nodes }, log = console.log) {
  log(name);
  try {
    for (const [title, work] of Object.entries(steps)) {
      if (await step(title, work, log)) continue;
      await picture(nodes, log);
      break; // what follows builds on it
    }
  } finally {
    await Promise.all(nodes.map((node) => node.remove()));
  }
}

// Settling waits for minutes in which nothing happens: it goes on beside the others, in a browser of
// its own, and what it says is said when it is over.
async function beside(tell) {
  const lines = [];
  const browser = await launch();
  try {
    await tell(browser, (line) => lines.push(line));
    return { lines, troubles: browser.troubles };
  } finally {
    await browser.close();
  }
}

// What everybody saw when a step failed.
async function picture(nodes, log) {
  const folder = join(tmpdir(), 'kith-e2e');
  mkdirSync(folder, { recursive: true });
  for (const node of nodes) {
    const path = join(folder, `${node.name}.png`);
    await node.page?.screenshot({ path }).then(() => log(`      ${path}`)).catch(() => undefined);
  }
}

const pictures = does('screens') || wanted.includes('pictures');
const settled = does('settle') || does('screens') ? beside((own, log) => tell('settle', settle(own, pictures), log)) : undefined;
const browser = await launch();
try {
  if (does('story')) await tell('story', story(browser));
  if (does('devices') || does('screens')) await tell('devices', devices(browser, pictures));
  if (does('fork') || does('screens')) await tell('fork', fork(browser, pictures));
  if (does('search') || does('screens')) await tell('search', search(browser, pictures));
  if (does('said') || does('screens')) await tell('said', said(browser, pictures));
  if (does('history') || does('screens')) await tell('history', history(browser, pictures));
  if (does('coming') || does('screens')) await tell('coming', coming(browser, pictures));
  if (does('mentions') || does('screens')) await tell('mentions', mentions(browser, pictures));
  if (does('network') || does('screens')) await tell('network', network(browser, pictures));
  if (does('bundles') || does('screens')) await tell('bundles', bundles(browser, pictures));
  if (does('unread') || does('screens')) await tell('unread', unread(browser, pictures));
  if (does('place')) await tell('place', place(browser));
  if (does('lock')) await tell('lock', lock(browser, pictures));
  const aside = (await settled) ?? { lines: [], troubles: [] };
  for (const line of aside.lines) console.log(line);
  if (does('speed')) await tell('speed', speed(browser)); // alone, since it measures
  if (does('screens')) await tell('screens', screens(browser));
  await step(`no policy violation and no error in any page`, () => {
    const troubles = new Set([...browser.troubles, ...aside.troubles]);
    if (troubles.size > 0) throw new Error([...troubles].join('\n'));
  });
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

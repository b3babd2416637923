// A real Chromium whose every page is watched: no policy violation, no error.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream', // its camera shows the film below
];

export async function launch() {
  const executablePath = findChromium();
  const env = { ...process.env, FONTCONFIG_FILE: join(here, 'fonts.conf') };
  const folder = mkdtempSync(join(tmpdir(), 'kith-film-'));
  const film = join(folder, 'film.y4m');
  return new Browser(await chromium.launch({ executablePath, headless: true, args: [...flags, `--use-file-for-fake-video-capture=${film}`], env }), folder, film);
}

function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  for (const name of names) for (const folder of folders) if (existsSync(join(folder, name))) return join(folder, name);
  throw new Error('no Chromium found in /usr/bin or PATH');
}

class Browser {
  constructor(browser, folder, film) {
    this.browser = browser;
    this.folder = folder;
    this.film = film; // what the camera shows, once it is there
    this.troubles = []; // policy violations and errors of any page
    this.axeRuns = 0;
  }

  /** person opens a window of its own: nothing is shared with the others. */
  async person(options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'Europe/Zurich', reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(15_000);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await context.exposeBinding('reportViolation', (_source, text) => this.troubles.push(text));
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (e) => globalThis.reportViolation(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`));
    });
    context.on('page', (page) => this.#watch(page));
    return context;
  }

  #watch(page) {
    page.on('pageerror', (err) => this.troubles.push(`error: ${err.stack ?? err.message}`));
    page.on('console', (message) => {
      // That the program is away, or says no, is told by the browser as an error too.
      if (message.type() === 'error' && !/Failed to load resource|net::ERR_/.test(message.text())) this.troubles.push(`console: ${message.text()}`);
    });
  }

  /** checkAccess runs axe on what is shown and gives what it finds wrong. */
  async checkAccess(page, screen) {
    this.axeRuns++;
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    return found.violations.map((v) => `${screen}: ${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.target} (${n.any.concat(n.all).map((c) => c.message).join('; ')})`).join(' | ')}`);
  }

  async close() {
    await this.browser.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

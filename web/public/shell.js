// The service worker. It keeps the shell of the page, and nothing else: the
// document, its scripts and its styles. So a reload while Kith is off shows
// the page, which says so and waits, and a dialog opens that was not opened
// before. No answer of the interface ever passes through here.
const kept = 'kith-shell';
const listing = '/manifest.json'; // of all files of this build, by Vite

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));

// The page says "keep" once it is up, so that nothing here delays it.
addEventListener('message', (event) => {
  if (event.data === 'keep') event.waitUntil(keep().catch(() => undefined));
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate' && pathname === '/') event.respondWith(newest(request));
  else if (pathname.startsWith('/assets/')) event.respondWith(fromShell(request));
});

async function newest(request) {
  try {
    return await fetch(request);
  } catch (err) {
    const old = await caches.match('/', { cacheName: kept });
    if (old !== undefined) return old;
    throw err;
  }
}

// The name of an asset holds a hash of what is in it.
async function fromShell(request) {
  return (await caches.match(request, { cacheName: kept })) ?? fetch(request);
}

async function keep() {
  const answer = await fetch(listing, { cache: 'no-store' });
  if (!answer.ok) return;
  const wanted = new Set();
  for (const { file, css = [], assets = [] } of Object.values(await answer.json())) {
    for (const name of [file, ...css, ...assets]) if (name.startsWith('assets/')) wanted.add(`/${name}`);
  }
  const cache = await caches.open(kept);
  const have = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  await cache.addAll([...wanted].filter((path) => !have.has(path)));
  await cache.add(new Request('/', { cache: 'no-store' }));
  for (const path of have) if (path !== '/' && !wanted.has(path)) await cache.delete(path);
}

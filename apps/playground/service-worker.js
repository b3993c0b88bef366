/* oxlint-disable typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-assignment,
   typescript/no-unsafe-return
   -- the types of the page, which all files are checked with, have no service workers */
// Keeps all files of this version of the page, so that it works without a network. The build writes the two constants.

const version = '__VERSION__';
const files = ['__FILES__'];
const prefix = 'neve-playground-';

self.addEventListener('install', (event) => {
  event.waitUntil(keepFiles());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOthers().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET' || !event.request.url.startsWith(self.registration.scope)) return;
  event.respondWith(answer(event.request));
});

async function keepFiles() {
  const cache = await caches.open(prefix + version);
  await cache.addAll(files);
  await self.skipWaiting();
}

async function dropOthers() {
  const names = await caches.keys();
  await Promise.all(
    names
      .filter((name) => name.startsWith(prefix) && name !== prefix + version)
      .map((name) => caches.delete(name)),
  );
}

async function answer(request) {
  const cache = await caches.open(prefix + version);
  const kept = await cache.match(request, { ignoreSearch: true });
  return kept ?? (await fetch(request));
}

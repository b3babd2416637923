// Prints what a browser loads before it shows the first screen, gzipped, and
// fails if the JavaScript is over the bar.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const bar = 120 * 1024; // bytes, gzipped
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));

const files = new Set();
function collect(key) {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const name of [...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(name); // the worker is an asset
  for (const next of chunk.imports ?? []) collect(next);
}
collect('index.html');

const size = (file) => gzipSync(readFileSync(join(dist, file))).length;
let js = 0;
for (const file of files) {
  const bytes = size(file);
  if (file.endsWith('.js')) js += bytes;
  console.log(`${(bytes / 1024).toFixed(1).padStart(7)} KB  ${file}`);
}
console.log(`${(js / 1024).toFixed(1).padStart(7)} KB  JavaScript in all, gzipped (at most ${bar / 1024} KB)`);
if (js > bar) process.exit(1);

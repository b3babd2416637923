import { svelte } from '@sveltejs/vite-plugin-svelte';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';

// The node serves the page under this policy (internal/api sets it); preview
// sets the same, so that what breaks under it breaks here first.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types svelte-trusted-html kith-worker', // what makes elements of the templates; src/net/script.ts
].join('; ');

// Vite's own client writes style elements while developing.
const devPolicy = policy
  .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
  .replace(/; require-trusted-types-for .*/, '');

export default defineConfig(({ mode }) => {
  // KITH_WEB is the address of a running node, http://localhost:PORT.
  const node = loadEnv(mode, '.', 'KITH_').KITH_WEB ?? 'http://localhost:4600';
  const proxy = {
    '/kith.v1.KithService': { target: node, changeOrigin: true, headers: { origin: node } },
  };
  return {
    plugins: [svelte()],
    server: { port: 5173, proxy, headers: { 'Content-Security-Policy': devPolicy } },
    preview: { port: 5174, proxy, headers: { 'Content-Security-Policy': policy } },
    worker: { format: 'es' },
    build: {
      target: 'es2023',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      manifest: 'manifest.json',
    },
    test: { include: ['src/**/*.test.ts'], environment: 'node' },
  };
});

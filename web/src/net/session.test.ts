import { describe, expect, it, vi } from 'vitest';

vi.stubGlobal('location', { port: '4600', hash: '' });
const { codeIn } = await import('./session');

describe('codeIn', () => {
  const code = '0123456789abcdef0123456789abcdef';
  it('finds the login code', () => {
    for (const fragment of [`#${code}`, `#code=${code}`, `#login=${code}`, `#/login/${code}`]) expect(codeIn(fragment)).toBe(code);
  });

  it('takes nothing else for one', () => {
    for (const fragment of ['', '#', '#/chats', `#/chats/${code}`, '#code=short', `#code=${code}&x=1`, '#code=<script>0123456789']) expect(codeIn(fragment)).toBe('');
  });
});

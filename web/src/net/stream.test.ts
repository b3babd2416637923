import { describe, expect, it } from 'vitest';
import { base64, envelope, pieces } from './stream';

/** frame spells a message of a stream by hand: flags, length, text. */
const frame = (flags: number, text: string) => [flags, 0, 0, 0, text.length, ...new TextEncoder().encode(text)];

describe('pieces', () => {
  it('takes an answer apart', () => {
    const answer = new Uint8Array([...frame(0, '{"data":"AAEC"}'), ...frame(0, '{"bundle":{"others":1}}'), ...frame(2, '{}')]);
    expect([...pieces(answer)]).toEqual([{ data: 'AAEC' }, { bundle: { others: 1 } }]);
    const refused = new Uint8Array(frame(2, '{"error":{"code":"not_found","message":"no"},"metadata":{}}'));
    expect([...pieces(refused)]).toEqual([{ error: { code: 'not_found', message: 'no' } }]);
  });

  it('leaves a message that is cut off', () => {
    const answer = new Uint8Array([...frame(0, '{"data":"AAEC"}'), ...frame(2, '{"error":{}}').slice(0, -1)]);
    expect([...pieces(answer)]).toEqual([{ data: 'AAEC' }]);
    expect([...pieces(answer.slice(0, 4))]).toEqual([]);
  });
});

describe('envelope', () => {
  it('puts flags and length before the text', async () => {
    const parts = new Uint8Array(await new Blob(envelope({ all: true })).arrayBuffer());
    expect([...parts]).toEqual(frame(0, '{"all":true}'));
  });
});

describe('base64', () => {
  it('writes every byte, in a piece of any size', () => {
    expect(base64(new Uint8Array([0, 16, 131, 16, 81, 135, 255]))).toBe('ABCDEFGH/w==');
    const long = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    expect(Uint8Array.from(atob(base64(long)), (c) => c.charCodeAt(0))).toEqual(long);
  });
});

import jsQR from 'jsqr';
import { correction, generate, mode } from 'lean-qr';
import { describe, expect, it } from 'vitest';
import { Gathering, mostShown, pictures, shuffled } from './pictures';

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7) ^ (i >> 8));
const hex = (list: Uint8Array) => Array.from(list, (b) => b.toString(16).padStart(2, '0')).join('');

/** seen draws a code and reads it back, as a camera would. */
function seen(picture: Uint8Array): Uint8Array {
  const code = generate(mode.bytes(picture), { minCorrectionLevel: correction.L });
  const [scale, quiet] = [4, 4];
  const side = (code.size + 2 * quiet) * scale;
  const image = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (code.get(Math.floor(x / scale) - quiet, Math.floor(y / scale) - quiet)) image.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
    }
  }
  const read = jsQR(image, side, side, { inversionAttempts: 'dontInvert' });
  if (read === null) throw new Error('nothing was read');
  return Uint8Array.from(read.binaryData);
}

describe('a bundle as pictures', () => {
  it('is what the specification spells', async () => {
    // SHA-256 of "abc" begins with ba7816bf.
    expect((await pictures(new TextEncoder().encode('abc'))).map(hex)).toEqual(['4b5101ba7816bf0000616263']);
    const list = await pictures(bytes(1001));
    expect(list.map((p) => p.length)).toEqual([509, 509, 10]);
    expect(list.map((p) => hex(p.subarray(7, 9)))).toEqual(['0200', '0201', '0202']);
    await expect(pictures(bytes(0))).rejects.toThrow(RangeError);
    await expect(pictures(bytes(mostShown + 1))).rejects.toThrow(RangeError);
    expect(await pictures(bytes(mostShown))).toHaveLength(128);
  });

  it('comes back from drawn codes, in any order, some of them twice', async () => {
    const bundle = bytes(5350);
    const list = await pictures(bundle);
    const gathering = new Gathering();
    for (const i of [...shuffled(list.length).slice(3), ...shuffled(list.length)]) {
      expect(gathering.take(seen(list[i]!))).toBe(true);
    }
    expect([gathering.have, gathering.count]).toEqual([11, 11]);
    expect(await gathering.whole()).toEqual(bundle);
  });

  it('is not whole before all was seen', async () => {
    const gathering = new Gathering();
    expect(await gathering.whole()).toBeUndefined();
    const list = await pictures(bytes(1500));
    for (const p of list.slice(1)) gathering.take(p);
    expect(gathering.have).toBe(2);
    expect(await gathering.whole()).toBeUndefined();
  });

  it('begins anew with another bundle, and keeps nothing of the one before', async () => {
    const gathering = new Gathering();
    for (const p of (await pictures(bytes(1500))).slice(1)) gathering.take(p);
    const other = bytes(900);
    for (const p of await pictures(other)) gathering.take(p);
    expect(await gathering.whole()).toEqual(other);
  });

  it('takes no other codes, and no lie for a bundle', async () => {
    const gathering = new Gathering();
    const [good] = await pictures(bytes(600));
    const changed = (at: number, to: number) => good!.map((b, i) => (i === at ? to : b));
    const wrong = [new TextEncoder().encode('https://example.org/'), new Uint8Array(), good!.subarray(0, 9), changed(0, 0), changed(2, 2), changed(7, 128), changed(8, 2), good!.subarray(0, 508), Uint8Array.of(...good!, 0)];
    for (const p of wrong) expect(gathering.take(p)).toBe(false);
    expect(gathering.count).toBe(0);
    for (const p of await pictures(bytes(600))) gathering.take(p.map((b, i) => (i === 20 ? b ^ 1 : b)));
    expect(await gathering.whole()).toBeUndefined();
    expect(gathering.count).toBe(0);
  });
});

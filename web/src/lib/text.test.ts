import { describe, expect, it } from 'vitest';
import { lines, oneLine } from './text';

describe('oneLine', () => {
  it('shows what cannot be seen, as the command line does', () => {
    const cases: [string, string][] = [
      ['Ann', 'Ann'],
      ['a\nb\tc', 'a b c'],
      ['\u202egnp.exe', '\ufffdgnp.exe'], // turns the direction
      ['\u2066a\u2069\u200f', '\ufffda\ufffd\ufffd'],
      ['a\u200bb\ufeff', 'a\ufffdb\ufffd'],
      ['\x00\x1b[31m\x7f\u0085', '\ufffd\ufffd[31m\ufffd\ufffd'],
      ['\u2028x', '\ufffdx'],
      ['👩\u200d🚀 می\u200cخواهم', '👩\u200d🚀 می\u200cخواهم'],
    ];
    for (const [text, want] of cases) expect(oneLine(text)).toBe(want);
  });
});

describe('lines', () => {
  it('keeps line ends and tabs', () => {
    expect(lines('a\r\nb\rc\td\u202e')).toBe('a\nb\nc\td\ufffd');
  });
});

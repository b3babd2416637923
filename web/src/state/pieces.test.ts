import { describe, expect, it } from 'vitest';
import { dayStart, piecesOf } from './pieces';

const mark = (start: number, end: number) => ({ start, end });
const picture = (snippet: string, ...marks: { start: number; end: number }[]) =>
  piecesOf(snippet, marks)
    .map((piece) => (piece.marked ? `[${piece.text}]` : piece.text))
    .join('|');

describe('piecesOf', () => {
  it('cuts at the marks', () => {
    expect(picture('the lazy dog', mark(4, 8))).toBe('the |[lazy]| dog');
    expect(picture('lazy dog', mark(0, 4), mark(5, 8))).toBe('[lazy]| |[dog]');
    expect(picture('dog')).toBe('dog');
    expect(picture('')).toBe('');
  });

  it('counts characters, not the units of JavaScript', () => {
    expect(picture('👍🌊 dog', mark(1, 2), mark(3, 6))).toBe('👍|[🌊]| |[dog]');
  });

  it('takes no mark beyond the end or out of order for more than it is', () => {
    expect(picture('dog', mark(1, 99), mark(0, 2))).toBe('d|[og]');
  });
});

describe('dayStart', () => {
  it('is midnight here, or the one after', () => {
    expect(dayStart('2026-01-31', 0)).toBe(BigInt(new Date(2026, 0, 31).getTime()));
    expect(dayStart('2026-01-31', 1)).toBe(BigInt(new Date(2026, 1, 1).getTime()));
  });

  it('is nothing for no day', () => {
    for (const text of ['', '2026', '2026-13-x', 'tomorrow']) expect(dayStart(text, 0)).toBe(0n);
  });
});

// Days and pieces of text, as a search has them.
import type { Mark } from '../gen/kith/v1/kith_pb';

/** dayStart is the moment a day of this browser's calendar begins, some days later; 0 for no day. */
export function dayStart(day: string, later: number): bigint {
  const [year, month, date] = day.split('-').map(Number);
  if (year === undefined || month === undefined || date === undefined) return 0n;
  const time = new Date(year, month - 1, date + later).getTime();
  return Number.isFinite(time) && time > 0 ? BigInt(time) : 0n;
}

/** A piece of a snippet, marked or not. */
export interface Piece {
  text: string;
  marked: boolean;
}

/** piecesOf cuts a snippet at its marks, which count code points. */
export function piecesOf(snippet: string, marks: readonly Pick<Mark, 'start' | 'end'>[]): Piece[] {
  const points = [...snippet];
  const pieces: Piece[] = [];
  let at = 0;
  const upTo = (end: number, marked: boolean) => {
    if (end > at) pieces.push({ text: points.slice(at, end).join(''), marked });
    at = Math.max(at, end);
  };
  for (const { start, end } of marks) {
    upTo(start, false);
    upTo(end, true);
  }
  upTo(points.length, false);
  return pieces;
}

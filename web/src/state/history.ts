// The membership of a group by days, newest first.
import { ChangeKind, type Block } from '../gen/kith/v1/kith_pb';

export interface HistoryDay {
  time: number; // of its first block shown, milliseconds since 1970
  blocks: Block[];
}

/** daysOf drops what only changes keys: nobody came or went. */
export function daysOf(blocks: readonly Block[]): HistoryDay[] {
  const days: HistoryDay[] = [];
  let today = '';
  for (const block of [...blocks].reverse()) {
    if (block.changes.every((c) => c.kind === ChangeKind.REKEYED)) continue;
    const time = Number(block.createdAt);
    const day = new Date(time).toDateString();
    if (day !== today) days.push({ time, blocks: [] });
    today = day;
    days.at(-1)?.blocks.push(block);
  }
  return days;
}

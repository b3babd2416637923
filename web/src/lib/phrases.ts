// Parts of sentences: counts, lists of names, how long something lasts.
import type { Split } from '../gen/kith/v1/kith_pb';
import { clock, fullDay, ms } from './time';

/** you is oneself in a list of names. */
export const you = 'You';

/** figure writes a count so that thousands can be read. */
export const figure = (count: number): string => count.toLocaleString('en');

/** splitSentence tells of a split and its healing in one calm line. */
export function splitSentence(split: Split): string {
  const [from, to] = [ms(split.from), ms(split.to)];
  const sameDay = fullDay(from) === fullDay(to);
  const start = sameDay ? clock(from) : `${fullDay(from)}, ${clock(from)}`;
  const end = sameDay ? clock(to) : `${fullDay(to)}, ${clock(to)}`;
  const when = start === end ? `at ${start}` : `from ${start} to ${end}`;
  const undone = split.undone === 0 ? 'nothing was undone' : split.undone === 1 ? '1 change was undone' : `${split.undone} changes were undone`;
  const again = split.again === 0 ? '' : split.again === 1 ? ', 1 was done again' : `, ${split.again} were done again`;
  return `the group was split ${when} and is whole again; ${undone}${again}.`;
}

/** listed is "you, Ben and Cleo", within a sentence or at its start. */
export function listed(names: readonly string[], start = false): string {
  const said = names.map((name, i) => (name === you && (i > 0 || !start) ? 'you' : name));
  return said.length < 2 ? said.join('') : `${said.slice(0, -1).join(', ')} and ${said.at(-1)}`;
}

/** standing is what somebody was when they signed. */
export function standing(rank: number): string {
  return rank === 0 ? 'no admin' : rank === 1 ? 'the most senior admin' : `admin number ${rank} by seniority`;
}

/** lasting says how long something lasts, in the largest unit that it is whole in. */
export function lasting(seconds: number): string {
  const units = [[604_800, 'week'], [86_400, 'day'], [3600, 'hour'], [60, 'minute']] as const;
  const [each, unit] = units.find(([each]) => seconds % each === 0) ?? [1, 'second'];
  return seconds === each ? `1 ${unit}` : `${seconds / each} ${unit}s`;
}

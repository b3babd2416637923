// Times as people write them, by Intl in the language of the browser.
const clockFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekdayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const shortDayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const dateFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' });
const shortDateFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const fullDateFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const exactFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const relativeFormat = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** Milliseconds as the interface has them. */
export function ms(time: bigint | undefined): number {
  return Number(time ?? 0n);
}

export function clock(time: number): string {
  return clockFormat.format(time);
}

export function exact(time: number): string {
  return exactFormat.format(time);
}

export function fullDay(time: number): string {
  return fullDateFormat.format(time);
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** A day as a heading: Today, Yesterday, Tuesday, 3 May, 3 May 2025. */
export function dayName(time: number, now = Date.now()): string {
  const ago = daysBetween(time, now);
  if (ago === 0 || ago === 1) return capital(relativeFormat.format(-ago, 'day'));
  if (ago > 1 && ago < 7) return weekdayFormat.format(time);
  return sameYear(time, now) ? dateFormat.format(time) : fullDateFormat.format(time);
}

/** A time as a list shows it: 14:02 today, Tue this week, 3 May before. */
export function shortTime(time: number, now = Date.now()): string {
  const ago = daysBetween(time, now);
  if (ago === 0) return clock(time);
  if (ago > 0 && ago < 7) return shortDayFormat.format(time);
  return sameYear(time, now) ? shortDateFormat.format(time) : fullDateFormat.format(time);
}

/** A moment within a sentence: 14:02 today, else Tuesday, 14:02. */
export function moment(time: number, now = Date.now()): string {
  return daysBetween(time, now) === 0 ? clock(time) : `${dayName(time, now)}, ${clock(time)}`;
}

const units = (['day', 'hour', 'minute', 'second'] as const).map((unit, i) => ({
  each: [86_400_000, 3_600_000, 60_000, 1000][i]!,
  format: new Intl.NumberFormat(undefined, { style: 'unit', unit, unitDisplay: 'narrow' }),
}));

/** How much is left of a time, in ms, in its largest unit and never nothing: 3d, 23h, 5m, 40s. */
export function shortLeft(left: number): string {
  const { each, format } = units.find((unit) => left >= unit.each) ?? units.at(-1)!;
  return format.format(each > 1000 ? Math.round(left / each) : Math.max(1, Math.ceil(left / each)));
}

/** nextLeft is in how many ms it may be said otherwise: by the second in the last minutes, then by the minute. */
export function nextLeft(left: number): number {
  const step = left <= 2 * 60_000 ? 1000 : 60_000;
  return left % step || step;
}

function daysBetween(time: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(time)) / 86_400_000);
}

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

function sameYear(a: number, b: number): boolean {
  return new Date(a).getFullYear() === new Date(b).getFullYear();
}

function capital(word: string): string {
  return word.charAt(0).toLocaleUpperCase() + word.slice(1);
}

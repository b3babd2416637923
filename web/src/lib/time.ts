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

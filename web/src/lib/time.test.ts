import { describe, expect, it } from 'vitest';
import { clock, dayName, moment, nextLeft, shortLeft, shortTime } from './time';

const at = (month: number, day: number, hour = 12, year = 2026) => new Date(year, month - 1, day, hour).getTime();
const now = at(5, 20);

describe('dayName', () => {
  it('names near days, then the weekday, then the date', () => {
    expect(dayName(at(5, 20, 1), now)).toMatch(/^Today$/);
    expect(dayName(at(5, 19, 23), now)).toMatch(/^Yesterday$/);
    expect(dayName(at(5, 15), now)).toBe(new Intl.DateTimeFormat(undefined, { weekday: 'long' }).format(at(5, 15)));
    expect(dayName(at(5, 1), now)).not.toContain('2026');
    expect(dayName(at(5, 1, 12, 2024), now)).toContain('2024');
  });

  it('does not call a day to come by its weekday alone', () => {
    expect(dayName(at(5, 28), now)).toMatch(/28/);
  });
});

describe('shortTime', () => {
  it('is the clock today, and the year when it is another one', () => {
    expect(shortTime(at(5, 20, 9), now)).toMatch(/09/);
    expect(shortTime(at(5, 1, 9, 2024), now)).toContain('2024');
  });
});

describe('moment', () => {
  it('is the clock today, and else with the day', () => {
    expect(moment(at(5, 20, 9), now)).toBe(clock(at(5, 20, 9)));
    expect(moment(at(5, 19, 9), now)).toBe(`Yesterday, ${clock(at(5, 19, 9))}`);
  });
});

describe('shortLeft', () => {
  it('counts down in the largest unit, to the last second', () => {
    const said = [28 * 86_400_000, 86_400_000, 86_399_000, 3_600_000, 3_599_000, 90_000, 59_500, 1000, 200, 0, -5].map(shortLeft);
    expect(said).toEqual(['28d', '1d', '24h', '1h', '60m', '2m', '60s', '1s', '1s', '1s', '1s']);
  });

  it('is looked at again when it may change', () => {
    expect(nextLeft(86_399_500)).toBe(59_500);
    expect(nextLeft(59_500)).toBe(500);
    expect(nextLeft(59_000)).toBe(1000);
  });
});

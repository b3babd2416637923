import { describe, expect, it } from 'vitest';
import { dayName, shortTime } from './time';

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

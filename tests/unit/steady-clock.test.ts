import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstPunaMs, steadyClock } from '../../src/main/history/steady-clock.ts';

const day = 24 * 60 * 60 * 1000;
const now = Date.UTC(2026, 10, 20);

/** A history of which the newest conversation has this time. */
function historyUntil(newest: number): Database.Database {
  const database = new Database(':memory:');
  database.exec('CREATE TABLE conversations (updated_at INTEGER, deleted_at INTEGER)');
  database.prepare('INSERT INTO conversations VALUES (?, NULL), (?, NULL)').run(newest - day, newest);
  return database;
}

test('A clock that is right is followed', () => {
  const times = [now, now + 5, now + 5000];
  const clock = steadyClock(historyUntil(now - day), () => times.shift() ?? 0);
  expect([clock(), clock(), clock()]).toEqual([now, now + 5, now + 5000]);
});

test('A clock that is set back a little, or begins anew, goes on from the newest time', () => {
  for (const wrong of [now - 5000, now - day / 2, 0, Date.UTC(2001, 0, 1)]) {
    const clock = steadyClock(historyUntil(now), () => wrong);
    expect([clock(), clock()]).toEqual([now + 1, now + 2]);
  }
});

test('A history that is far ahead of a clock that may be right does not draw it along', () => {
  const clock = steadyClock(historyUntil(now + 400 * day), () => now);
  expect(clock()).toBe(now);
});

test('What was deleted last counts as well', () => {
  const database = historyUntil(now);
  database.prepare('UPDATE conversations SET deleted_at = ?').run(now + 1000);
  expect(steadyClock(database, () => 0)()).toBe(now + 1001);
});

test('Within a day of jumps, whatever the clock says, later times are later', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -day / 2 + 1, max: day / 2 - 1 }), { minLength: 2 }), (jumps) => {
      let at = 0;
      const clock = steadyClock(historyUntil(now - 2 * day), () => now + (jumps[at++] ?? 0));
      const times = jumps.map(() => clock());
      expect(times).toEqual([...new Set(times)].sort((one, other) => one - other));
    }),
  );
});

test('Times are those of a world with Puna', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(10 ** 13), max: 10 ** 14 })), (times) => {
      const clock = steadyClock(historyUntil(now), () => times.shift() ?? 0);
      for (let at = 0; at < times.length; at++) expect(clock()).toBeGreaterThanOrEqual(firstPunaMs);
    }),
  );
});

import { expect, test } from 'vitest';

import { fromField, left, period, readSpan, rough, toField, withTimesOfHere, writeSpan } from './times';

const HOUR = 3_600_000;

test.each([
    ['2h', 2 * HOUR],
    ['90m', 1.5 * HOUR],
    ['90 min', 1.5 * HOUR],
    ['1h 30m', 1.5 * HOUR],
    ['1h30m', 1.5 * HOUR],
    ['1.5h', 1.5 * HOUR],
    ['3d', 72 * HOUR],
    ['1w', 168 * HOUR],
    ['', undefined],
    ['2', undefined],
    ['-2h', undefined],
    ['0h', undefined],
    ['2 hours', undefined],
    ['2h or so', undefined],
    ['h', undefined],
])('%j is read as a span', (text, millis) => expect(readSpan(text)).toBe(millis));

test('a span is written as it can be read', () => {
    for (const millis of [60_000, HOUR, 1.5 * HOUR, 26 * HOUR, 31 * 24 * HOUR])
        expect(readSpan(writeSpan(millis))).toBe(millis);
    expect(writeSpan(1.5 * HOUR)).toBe('1h 30m');
});

test('what is left is said in no more words than are of use', () => {
    expect(rough(59_999)).toBe('less than a minute');
    expect(rough(14.5 * 60_000)).toBe('14 min');
    expect(rough(2 * HOUR)).toBe('2 h');
    expect(rough(2 * HOUR - 1)).toBe('1 h 59 min');
    expect(rough(51 * HOUR)).toBe('2 d 3 h');
    expect(left(5_000, 5_000)).toBe('over');
    expect(left(5_000, 9_000)).toBe('over');
});

test('a field for day and time goes there and back', () => {
    const at = new Date(2028, 1, 29, 6, 5).getTime();
    expect(toField(at)).toBe('2028-02-29T06:05');
    expect(fromField('2028-02-29T06:05')).toBe(at);
    expect(fromField('')).toBeUndefined();
    expect(fromField('2027-02-30T25:00')).toBeUndefined();
});

test('a period says its day once', () => {
    const day = new Date(2026, 11, 1);
    const at = (hour: number, plus = 0): number => new Date(2026, 11, 1 + plus, hour).getTime();
    expect(period(at(6), at(8), at(1))).toBe('06:00–08:00');
    expect(period(at(6, 1), at(8, 1), at(1))).toBe('Wed Dec 2 06:00–08:00');
    expect(period(at(22), at(2, 1), day.getTime())).toBe('22:00 – Wed Dec 2 02:00');
});

test('instants in a sentence are those of here', () => {
    const at = new Date(2026, 11, 1, 6, 0);
    expect(withTimesOfHere(`bob has /tb1/r1 until ${at.toISOString()} (x)`, at.getTime())).toBe(
        'bob has /tb1/r1 until 06:00 (x)',
    );
    expect(withTimesOfHere('no 2026-12-01 in it', at.getTime())).toBe('no 2026-12-01 in it');
});

import { describe, expect, test } from 'vitest';

import {
    dayName,
    daysFrom,
    dragged,
    drawn,
    fromDay,
    lines,
    mondayOf,
    placeOf,
    SNAP_MILLIS,
    timeAt,
    toDay,
} from './days';

const HOUR = 3_600_000;
// A zone whose clocks change: each file of tests is a process of its own.
process.env['TZ'] = 'Europe/Bucharest';

const at = (year: number, month: number, day: number, hour = 0, minute = 0): number =>
    new Date(year, month - 1, day, hour, minute).getTime();

describe('a week', () => {
    const days = daysFrom(at(2026, 12, 1, 13), 7);

    test('goes from midnight to midnight, also over the end of a year', () => {
        expect(days.map(({ from }) => toDay(from))).toEqual([
            '2026-12-01',
            '2026-12-02',
            '2026-12-03',
            '2026-12-04',
            '2026-12-05',
            '2026-12-06',
            '2026-12-07',
        ]);
        expect(mondayOf(at(2027, 1, 3, 23, 59))).toBe(at(2026, 12, 28));
        expect(mondayOf(at(2026, 11, 30))).toBe(at(2026, 11, 30));
        expect(dayName(at(2026, 12, 1))).toBe('Tue Dec 1');
    });

    test('a day of an address is one of the calendar', () => {
        expect(fromDay('2028-02-29')).toBe(at(2028, 2, 29));
        for (const text of ['2027-02-29', '2026-13-01', 'tomorrow', '', undefined, '2026-12-1'])
            expect(fromDay(text), String(text)).toBeUndefined();
    });

    test('a place and its time are the same', () => {
        for (const time of [days[0]?.from ?? 0, at(2026, 12, 3, 6, 15), at(2026, 12, 7, 23, 45)])
            expect(timeAt(placeOf(time, days), days)).toBe(time);
        expect(placeOf(at(2026, 11, 1), days)).toBe(0);
        expect(placeOf(at(2027, 11, 1), days)).toBe(7);
    });

    test('what begins before or ends behind is drawn to the edge', () => {
        expect(drawn({ from: at(2026, 11, 1), to: at(2026, 12, 1, 12) }, days)).toEqual({
            day: 0,
            left: 0,
            width: 0.5,
            begins: false,
            ends: true,
        });
        expect(drawn({ from: at(2026, 12, 7, 12), to: Infinity }, days)).toMatchObject({
            day: 6,
            left: 0.5,
            width: 0.5,
            ends: false,
        });
        expect(drawn({ from: at(2026, 12, 8), to: at(2026, 12, 9) }, days)).toBeUndefined();
        expect(drawn({ from: at(2026, 11, 1), to: at(2026, 12, 1) }, days)).toBeUndefined();
    });
});

describe('when the clocks change', () => {
    // In Bucharest the clocks go back on October 25, 2026 at four, and forward on March 28, 2027 at three.
    const days = daysFrom(at(2026, 10, 24), 3);

    test('the long day is as wide as the others, and its hours are all there', () => {
        expect((days[1]?.to ?? 0) - (days[1]?.from ?? 0)).toBe(25 * HOUR);
        for (let time = days[0]?.from ?? 0; time < (days[2]?.to ?? 0); time += SNAP_MILLIS)
            expect(timeAt(placeOf(time, days), days)).toBe(time);
    });

    test('a booking that is moved over it keeps its time of day and its length, both ways', () => {
        const was = { from: at(2026, 10, 24, 10), to: at(2026, 10, 24, 12) };
        // Taken in its middle, and let go a day further to the right: an hour more than 24 have passed.
        const next = dragged('whole', was, at(2026, 10, 24, 11), at(2026, 10, 25, 11));
        expect(next).toEqual({ from: at(2026, 10, 25, 10), to: at(2026, 10, 25, 12) });
        expect(dragged('whole', next, at(2026, 10, 25, 11), at(2026, 10, 24, 11))).toEqual(was);
        expect(daysFrom(at(2027, 3, 28), 1).map(({ from, to }) => (to - from) / HOUR)).toEqual([23]);
        // Half past three is not there on that day: it begins when there is a time again, and lasts as long.
        const early = dragged(
            'whole',
            { from: at(2027, 3, 27, 3, 30), to: at(2027, 3, 27, 4, 30) },
            at(2027, 3, 27, 3, 30),
            at(2027, 3, 28, 3, 30),
        );
        expect(early.to - early.from).toBe(HOUR);
    });
});

test('dragging makes, moves and stretches, and nothing shorter than a step', () => {
    const was = { from: 10 * HOUR, to: 12 * HOUR };
    expect(dragged('new', was, 10 * HOUR, 11 * HOUR)).toEqual({ from: 10 * HOUR, to: 11 * HOUR });
    expect(dragged('new', was, 10 * HOUR, 9 * HOUR)).toEqual({ from: 9 * HOUR, to: 10 * HOUR });
    expect(dragged('new', was, 10 * HOUR, 10 * HOUR)).toEqual({
        from: 10 * HOUR,
        to: 10 * HOUR + SNAP_MILLIS,
    });
    expect(dragged('whole', was, 10 * HOUR, 11 * HOUR)).toEqual({ from: 11 * HOUR, to: 13 * HOUR });
    expect(dragged('from', was, 10 * HOUR, 13 * HOUR)).toEqual({
        from: 12 * HOUR - SNAP_MILLIS,
        to: 12 * HOUR,
    });
    expect(dragged('to', was, 12 * HOUR, 9 * HOUR)).toEqual({ from: 10 * HOUR, to: 10 * HOUR + SNAP_MILLIS });
});

test('what is at the same time stands on lines of its own', () => {
    const span = (from: number, to: number) => ({ from, to });
    expect(lines([span(0, 2), span(1, 3), span(2, 4)])).toEqual([
        { line: 0, of: 2 },
        { line: 1, of: 2 },
        { line: 0, of: 2 },
    ]);
    expect(lines([])).toEqual([]);
});

describe('what people have met elsewhere', () => {
    const days = daysFrom(at(2026, 11, 30), 7);

    test('a full Sunday, and what begins at midnight on Monday, are there', () => {
        expect(drawn({ from: at(2026, 12, 6), to: at(2026, 12, 7) }, days)).toMatchObject({
            day: 6,
            left: 0,
            width: 1,
            ends: true,
        });
        expect(drawn({ from: at(2026, 11, 30), to: at(2026, 11, 30, 1) }, days)).toMatchObject({
            day: 0,
            left: 0,
            begins: true,
        });
        expect(timeAt(7, days)).toBe(at(2026, 12, 7));
    });

    test('what lasts for weeks is there on each day', () => {
        const long = { from: at(2026, 10, 1), to: at(2027, 1, 30) };
        expect(drawn(long, days)).toEqual({ day: 0, left: 0, width: 7, begins: false, ends: false });
    });

    test('quarters of hours stay quarters', () => {
        const span = { from: at(2026, 12, 1, 11, 15), to: at(2026, 12, 1, 13) };
        expect(timeAt(placeOf(span.from, days), days)).toBe(span.from);
        expect(dragged('to', span, span.to, at(2026, 12, 1, 12, 45))).toEqual({
            from: span.from,
            to: at(2026, 12, 1, 12, 45),
        });
    });

    test('what is dragged back goes back', () => {
        const span = { from: at(2026, 12, 1, 11), to: at(2026, 12, 1, 13) };
        expect(dragged('whole', span, at(2026, 12, 1, 12), at(2026, 12, 1, 10))).toEqual({
            from: at(2026, 12, 1, 9),
            to: at(2026, 12, 1, 11),
        });
    });
});

import { describe, expect, it } from 'vitest';

import { bars, hit, neighbour, type Lane, type Mark, type Tone } from './layout';
import { CUT_PIXELS, idle, scale, ticks } from './scale';
import { moment } from './words';

const MINUTE = 60_000;

function mark(id: string, from: number, to: number | undefined, more: Partial<Mark> = {}): Mark {
    return { id, lane: 'EP-1', kind: 'work', from, to, tone: 'pass', label: id, ...more };
}

const lanes: Lane[] = [
    { id: 'EP-1', label: 'EP-1' },
    { id: 'EP-2', label: 'EP-2' },
];

describe('the scale', () => {
    const whole = { from: 0, to: 100 * MINUTE };

    it('draws time as it is where something works', () => {
        const plain = scale(whole, [whole], 1_000);
        expect(plain.pieces.map((piece) => piece.isCut)).toEqual([false]);
        expect(plain.x(25 * MINUTE)).toBeCloseTo(250);
        expect(plain.at(250)).toBeCloseTo(25 * MINUTE);
    });

    it('draws long idle time short, and reads back what it drew', () => {
        const busy = [
            { from: 0, to: 10 * MINUTE },
            { from: 80 * MINUTE, to: 100 * MINUTE },
        ];
        const cut = scale(whole, busy, 1_000);
        expect(cut.pieces.map(({ from, to, isCut }) => [from / MINUTE, to / MINUTE, isCut])).toEqual([
            [0, 10, false],
            [10, 80, true],
            [80, 100, false],
        ]);
        expect(cut.x(80 * MINUTE) - cut.x(10 * MINUTE)).toBeCloseTo(CUT_PIXELS);
        expect(cut.x(100 * MINUTE)).toBe(1_000);
        for (let at = 0; at <= 100; at += 7) expect(cut.at(cut.x(at * MINUTE))).toBeCloseTo(at * MINUTE, 3);
    });

    it('leaves short pauses, and cuts no more than half of the picture', () => {
        const pause = [
            { from: 0, to: 49 * MINUTE },
            { from: 51 * MINUTE, to: 100 * MINUTE },
        ];
        expect(scale(whole, pause, 1_000).pieces.length).toBe(1);
        const busy = Array.from({ length: 10 }, (_, nth) => ({
            from: nth * 10 * MINUTE,
            to: nth * 10 * MINUTE + 1,
        }));
        const narrow = scale(whole, busy, 3 * CUT_PIXELS);
        expect(narrow.pieces.filter((piece) => piece.isCut).length).toBe(1);
    });

    it('has lines at round times of the clock in the zone of the reader', () => {
        const zone = 90 * MINUTE;
        const found = ticks(scale({ from: 7 * MINUTE, to: 107 * MINUTE }, [whole], 1_000), zone);
        expect(found.map((at) => (at + zone) / MINUTE)).toEqual([
            100, 110, 120, 130, 140, 150, 160, 170, 180, 190,
        ]);
        const many = ticks(scale({ from: 0, to: 0 }, [], 1_000), 0);
        expect(many.length).toBeLessThanOrEqual(14);
    });

    it('knows when nothing happens, though spans overlap', () => {
        expect(
            idle({ from: 0, to: 10 }, [
                { from: 5, to: 6 },
                { from: 1, to: 3 },
                { from: 2, to: 4 },
            ]),
        ).toEqual([
            { from: 0, to: 1 },
            { from: 4, to: 5 },
            { from: 6, to: 10 },
        ]);
        expect(idle({ from: 0, to: 10 }, [{ from: -5, to: 20 }])).toEqual([]);
    });
});

describe('the bars', () => {
    const hour = scale({ from: 0, to: 60 * MINUTE }, [{ from: 0, to: 60 * MINUTE }], 600);

    it('draw work over waiting, and what goes on until now', () => {
        const drawn = bars(
            [
                mark('t1', 0, 10 * MINUTE),
                mark('w1', 10 * MINUTE, undefined, {
                    kind: 'wait',
                    tone: 'waiting',
                    reason: 'SUT r1 is held by run 40 (ana)',
                }),
                mark('t2', 0, undefined, { lane: 'EP-2', tone: 'running' }),
                mark('t3', 0, 1, { lane: 'gone' }),
            ],
            lanes,
            hour,
            30 * MINUTE,
        );
        expect(drawn.map(({ mark: { id }, lane, x, width }) => [id, lane, x, width])).toEqual([
            ['w1', 0, 100, 200],
            ['t1', 0, 0, 100],
            ['t2', 1, 0, 300],
        ]);
    });

    it('hide no failure among thousands of quick tests', () => {
        const tone = (nth: number): Tone => (nth === 7_777 ? 'fail' : 'pass');
        const marks = Array.from({ length: 10_000 }, (_, nth) =>
            mark(`t${nth}`, nth * 360, nth * 360 + 300, { tone: tone(nth) }),
        );
        const drawn = bars(marks, lanes, hour, 60 * MINUTE);
        expect(drawn.length).toBeLessThanOrEqual(600);
        expect(drawn.reduce((sum, bar) => sum + bar.marks, 0)).toBe(10_000);
        const failed = drawn.filter((bar) => bar.mark.tone === 'fail');
        expect(new Set(drawn.map((bar) => bar.tone)), 'a good night looks good').toEqual(new Set(['pass']));
        expect(failed.map((bar) => bar.mark.id)).toEqual(['t7777']);
        expect(hit(drawn, hour.x(7_777 * 360), 0)?.mark.id).toBe('t7777');
    });

    it('are found by the pointer, the thin ones with mercy', () => {
        const drawn = bars(
            [mark('t1', 0, 1), mark('t2', 30 * MINUTE, 40 * MINUTE)],
            lanes,
            hour,
            60 * MINUTE,
        );
        expect(hit(drawn, 4, 0)?.mark.id).toBe('t1');
        expect(hit(drawn, 350, 0)?.mark.id).toBe('t2');
        expect(hit(drawn, 200, 0)).toBeUndefined();
        expect(hit(drawn, 350, 1)).toBeUndefined();
    });
});

it('is walked by arrow keys', () => {
    const marks = [mark('b', 10, 20), mark('a', 0, 5), mark('c', 12, 30, { lane: 'EP-2' })];
    const go = (at: Mark | undefined, key: string) => neighbour(marks, lanes, at, key)?.id;
    expect(go(undefined, 'ArrowRight')).toBe('a');
    expect(go(marks[1], 'ArrowRight')).toBe('b');
    expect(go(marks[0], 'ArrowRight')).toBe('b');
    expect(go(marks[0], 'ArrowDown')).toBe('c');
    expect(go(marks[2], 'ArrowUp')).toBe('b');
    expect(go(marks[2], 'ArrowDown')).toBe('c');
    expect(go(marks[0], 'Home')).toBe('a');
    expect(go(marks[1], 'End')).toBe('b');
    expect(go(marks[1], 'x')).toBeUndefined();
});

it('lays out ten thousand marks without a pause that is seen', () => {
    const marks = Array.from({ length: 10_000 }, (_, nth) =>
        mark(`t${nth}`, nth * 360, nth * 360 + 300, { lane: nth % 2 === 0 ? 'EP-1' : 'EP-2' }),
    );
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10; round += 1) {
        const begun = performance.now();
        const measured = scale(
            { from: 0, to: 60 * MINUTE },
            marks.map((each) => ({ from: each.from, to: each.to ?? 0 })),
            1_200,
        );
        bars(marks, lanes, measured, 60 * MINUTE);
        best = Math.min(best, performance.now() - begun);
    }
    // A machine that does other things is slow; looking at each pair of marks would take seconds.
    expect(best).toBeLessThan(100);
});

it('says tenths of a second only where the scale has them', () => {
    expect(moment(1_000)).toMatch(/^\d\d:\d\d:01$/);
    expect(moment(1_250)).toMatch(/^\d\d:\d\d:01\.2$/);
});

import { describe, expect, it } from 'vitest';

import {
    barOf,
    barPixels,
    clamped,
    lastTop,
    readRange,
    reveal,
    Rows,
    topOf,
    writeRange,
    type Fold,
} from './view';

const small = { rows: 1_000, rowPixels: 18, viewPixels: 360 };
const huge = { rows: 20_000_000, rowPixels: 18, viewPixels: 360 };

describe('the place', () => {
    it('is exact to the pixel where the bar is long enough', () => {
        expect(barPixels(small)).toBe(18_000);
        expect(topOf(180, small)).toBeCloseTo(10);
        expect(barOf(10, small)).toBeCloseTo(180);
        expect(lastTop(small)).toBe(980);
    });

    it('reaches every end of a log that no bar could be long enough for', () => {
        expect(barPixels(huge)).toBe(8_000_000);
        expect(topOf(0, huge)).toBe(0);
        expect(topOf(8_000_000 - 360, huge)).toBe(20_000_000 - 20);
        expect(topOf(barOf(12_345_678, huge), huge)).toBeCloseTo(12_345_678, 3);
    });

    it('stays in the log, also in one that is shorter than the view', () => {
        expect(clamped(-5, small)).toBe(0);
        expect(clamped(5_000, small)).toBe(980);
        const tiny = { rows: 3, rowPixels: 18, viewPixels: 360 };
        expect([lastTop(tiny), barPixels(tiny), topOf(100, tiny), barOf(2, tiny)]).toEqual([0, 360, 0, 0]);
    });

    it('moves only as far as a line needs to be seen', () => {
        expect(reveal(105, 100, small)).toBe(100);
        expect(reveal(500, 100, small)).toBe(494);
        expect(reveal(0, 100, small)).toBe(0);
        expect(reveal(999, 100, small)).toBe(980);
    });
});

describe('folds', () => {
    /** Rows and lines as a plain list would give them. */
    function compare(lines: number, folds: Fold[]): void {
        const rows = new Rows(lines, folds);
        const open = Array.from({ length: lines }, (_, index) => index + 1).filter(
            (line) => !folds.some((fold) => line >= fold.from && line <= fold.to),
        );
        expect(rows.rows).toBe(open.length);
        open.forEach((line, row) => {
            expect(rows.line(row), `row ${row}`).toBe(line);
            expect(rows.row(line), `line ${line}`).toBe(row);
        });
        for (const fold of folds) {
            for (let line = fold.from; line <= fold.to; line += 1) {
                expect(rows.line(rows.row(line)), `heading of ${line}`).toBe(fold.from - 1);
            }
        }
    }

    it('hide lines and nothing else', () => {
        compare(10, []);
        compare(10, [{ from: 3, to: 5 }]);
        compare(20, [
            { from: 15, to: 20 },
            { from: 3, to: 5 },
            { from: 7, to: 7 },
        ]);
        compare(6, [{ from: 2, to: 6 }]);
    });
});

it('reads and writes ranges of lines', () => {
    expect(readRange('L10')).toEqual({ first: 10, last: 10 });
    expect(readRange('L20-L10')).toEqual({ first: 10, last: 20 });
    expect(readRange('L7-9')).toEqual({ first: 7, last: 9 });
    for (const wrong of ['', 'L0', 'L', '10', 'L1-', 'L1x', 'L1-L0'])
        expect(readRange(wrong), wrong).toBeUndefined();
    expect(writeRange({ first: 3, last: 3 })).toBe('L3');
    expect(writeRange({ first: 3, last: 9 })).toBe('L3-L9');
});

import { expect, it } from 'vitest';

import { besideEachOther, csv, firstFrom, nearest, thinned } from './data';

const line = (count: number): { x: Float64Array; y: Float64Array } => ({
    x: Float64Array.from({ length: count }, (_, nth) => nth),
    y: Float64Array.from({ length: count }, (_, nth) => Math.sin(nth / 1_000)),
});

it('leaves few points as they are, with one beyond each edge', () => {
    const { x, y } = thinned(line(100), 10, 20, 500);
    expect([x[0], x.at(-1), x.length, y.length]).toEqual([9, 20, 12, 12]);
});

it('loses no peak of a million', () => {
    const many = line(1_000_000);
    many.y[777_777] = 99;
    many.y[123_456] = -99;
    const { x, y } = thinned(many, 0, 1_000_000, 1_000);
    expect(x.length).toBe(2_000);
    expect([Math.max(...y), Math.min(...y)]).toEqual([99, -99]);
    expect(x[y.indexOf(99)]).toBe(777_777);
    expect([...x].every((at, index) => index === 0 || at >= (x[index - 1] ?? 0))).toBe(true);
});

it('finds the nearest point', () => {
    const x = Float64Array.from([0, 10, 20]);
    expect([-5, 0, 4, 6, 14, 16, 99].map((at) => nearest(x, at))).toEqual([0, 0, 0, 1, 1, 2, 2]);
    expect(nearest(new Float64Array(), 1)).toBeUndefined();
    expect(firstFrom(x, 10)).toBe(1);
});

it('writes a file', () => {
    const series = { label: 'a,"b"', x: Float64Array.from([0]), y: Float64Array.from([1.5]) };
    expect(csv([series])).toBe('series,time,value\r\n"a,""b""",1970-01-01T00:00:00.000Z,1.5\r\n');
});

it('writes names and holes', () => {
    const series = { label: 'tests', x: Float64Array.from([0, 1]), y: Float64Array.from([3, Number.NaN]) };
    expect(csv([series], { kind: 'names', label: 'of', names: ['a,b', 'c'] })).toBe(
        'series,of,value\r\ntests,"a,b",3\r\ntests,c,\r\n',
    );
    expect(csv([series], { kind: 'numbers' })).toContain('tests,0,3');
});

it('puts the bars of two series side by side, around the place that they share', () => {
    const one = { label: 'a', x: Float64Array.from([0, 1]), y: Float64Array.from([1, 2]) };
    const [left, right] = besideEachOther([one, { ...one, label: 'b' }]);
    expect([left?.x[0], right?.x[0], left?.x[1]]).toEqual([-0.2, 0.2, 0.8]);
    expect(besideEachOther([one])[0]?.x).toEqual(one.x);
});

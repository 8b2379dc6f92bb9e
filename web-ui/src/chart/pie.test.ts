import { expect, test } from 'vitest';

import { partsOf, PARTS_MAX } from './pie';

test('parts have their shares, their verdict’s colour, and a place on the circle', () => {
    const [pass, fail, none] = partsOf(['PASS', 'fail', 'SKIPPED'], [3, 1, null]);
    expect([pass?.share, fail?.share, none?.share]).toEqual([0.75, 0.25, 0]);
    expect([pass?.tone, fail?.tone]).toEqual(['--pass-mark', '--fail-mark']);
    expect(pass?.path).toBe('M100 100L100.00 4.00A96 96 0 1 1 4.00 100.00Z');
    expect(none?.path).toBeUndefined();
});

test('one part is a circle, and nothing at all draws nothing', () => {
    expect(partsOf(['PASS'], [7])[0]?.path).not.toContain('L');
    expect(partsOf(['PASS', 'FAIL'], [0, 0]).map(({ path }) => path)).toEqual([undefined, undefined]);
    expect(partsOf([], [])).toEqual([]);
});

test('the smallest of too many are one, which leads nowhere', () => {
    const labels = Array.from({ length: 20 }, (_, nth) => `part ${nth}`);
    const parts = partsOf(
        labels,
        labels.map((_, nth) => nth),
    );
    expect(parts).toHaveLength(PARTS_MAX);
    expect(parts[0]).toMatchObject({ name: 'part 19', point: 19 });
    expect(parts.at(-1)).toMatchObject({ name: '9 others', value: 36, point: undefined });
});

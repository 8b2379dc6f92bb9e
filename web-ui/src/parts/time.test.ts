import { expect, test } from 'vitest';

import { ago, bytes, growing, span } from './time';

test('spans are as exact as is of use', () => {
    const spans: [number, string][] = [
        [-5, '0.00 s'],
        [420, '0.42 s'],
        [7_120, '7.1 s'],
        [42_900, '42 s'],
        [187_000, '3 m 07 s'],
        [7_500_000, '2 h 05 m'],
        [356_400_000, '4 d 03 h'],
    ];
    for (const [millis, text] of spans) expect(span(millis)).toBe(text);
    expect(growing(1_999)).toBe('1 s');
    expect(growing(187_000)).toBe('3 m 07 s');
});

test('what was is told from now', () => {
    const told: [number, string][] = [
        [0, 'now'],
        [12_000, '12 s ago'],
        [300_000, '5 m ago'],
        [10_800_000, '3 h ago'],
        [200_000_000, '2 d ago'],
    ];
    for (const [millis, text] of told) expect(ago(1_000_000_000 - millis, 1_000_000_000)).toBe(text);
});

test('sizes', () => {
    for (const [count, text] of [
        [11, '11 B'],
        [4_200, '4.2 kB'],
        [1_300_000_000, '1.3 GB'],
        [999_000, '999 kB'],
    ] as const) {
        expect(bytes(count)).toBe(text);
    }
});

import { expect, test } from 'vitest';

import { durationOf } from './durations.svelte';

test('a file is known by its name, and in a home by its path there', () => {
    const known = new Map([
        ['bgp/peers.py', 1_000],
        ['/home/ana/twister/demo/a.py', 2_000],
    ]);
    expect(durationOf(known, 'bgp/peers.py')).toBe(1_000);
    expect(durationOf(known, '$HOME/twister/demo/a.py')).toBe(2_000);
    expect(durationOf(known, '~/twister/demo/a.py')).toBe(2_000);
    expect(durationOf(known, 'demo/a.py')).toBeUndefined();
    expect(durationOf(undefined, 'a.py')).toBeUndefined();
});

import { expect, test } from 'vitest';

import { Picks } from './picks.svelte';

const ROWS = ['a', 'b', 'c', 'd', 'e'];
const chosen = (picks: Picks) => ROWS.filter((name) => picks.has(name)).join('');

test('Shift chooses as far as the last that was turned, either way', () => {
    const picks = new Picks();
    picks.turn('b', ROWS, false);
    picks.turn('d', ROWS, true);
    expect(chosen(picks)).toBe('bcd');
    picks.turn('a', ROWS, true);
    expect(chosen(picks)).toBe('abcd');
    picks.turn('c', ROWS, false);
    expect(chosen(picks)).toBe('abd');
    picks.turn('a', ROWS, true);
    expect(chosen(picks)).toBe('d');
});

test('a range that begins in no row of the list is that row alone', () => {
    const picks = new Picks();
    picks.turn('c', ROWS, true);
    expect(chosen(picks)).toBe('c');
    picks.turn('e', ['e'], true);
    expect(chosen(picks)).toBe('ce');
    picks.all(['a']);
    expect([chosen(picks), picks.size]).toEqual(['a', 1]);
});

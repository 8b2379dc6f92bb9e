import { expect, test } from 'vitest';

import { finder, firstOf } from './words';

test.each([
    ['', true],
    ['  ', true],
    ['PEERS bgp', true],
    ['bgp routes', false],
])('“%s” finds `bgp/peers.py`: %s', (typed, isFound) => {
    expect(finder(typed)('bgp/peers.py')).toBe(isFound);
});

test.each([
    [['a'], 'a'],
    [['a', 'b'], 'a, b'],
    [['a', 'b', 'c', 'd'], 'a, b and 2 more'],
])('of %j two names are told', (names, told) => {
    expect(firstOf(names, 2)).toBe(told);
});

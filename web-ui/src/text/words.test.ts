import { expect, test } from 'vitest';

import { finder } from './words';

test.each([
    ['', true],
    ['  ', true],
    ['PEERS bgp', true],
    ['bgp routes', false],
])('“%s” finds `bgp/peers.py`: %s', (typed, isFound) => {
    expect(finder(typed)('bgp/peers.py')).toBe(isFound);
});

import { expect, test } from 'vitest';

import { partOf } from './drag';

test('a height in a row means a place', () => {
    const parts = (holds: boolean, isOpen: boolean) =>
        [0.1, 0.4, 0.6, 0.9].map((at) => partOf(at, holds, isOpen));
    expect(parts(false, false)).toEqual(['before', 'before', 'after', 'after']);
    expect(parts(true, false)).toEqual(['before', 'into', 'into', 'after']);
    expect(parts(true, true)).toEqual(['before', 'into', 'into', 'into']);
});

import { expect, test } from 'vitest';

import { FlatTree } from '../tree/tree';
import { keysAfter, outermost, spotOf, waysOf, written } from './ways';

// The project, suite 0 with two tests, suite 1 with a suite that holds a test.
const DEPTHS = [0, 1, 2, 2, 1, 2, 3];
const KEYS = ['root', 'a', 'a0', 'a1', 'b', 'b0', 'b00'];
let made = 0;
const fresh = (): string => `new${++made}`;

test('ways count items in what holds them', () => {
    expect(waysOf(DEPTHS).map(written)).toEqual(['', '0', '0.0', '0.1', '1', '1.0', '1.0.0']);
    expect(waysOf([])).toEqual([]);
});

test('a tree of items in order is the tree of nested ones', () => {
    const items = KEYS.map((id, at) => ({ id, depth: DEPTHS[at] ?? 0 }));
    const tree = FlatTree.ordered(items, { id: ({ id }) => id, depth: ({ depth }) => depth });
    expect(tree.entries.map(({ id, below }) => `${id} ${below}`)).toEqual([
        'root 6',
        'a 2',
        'a0 0',
        'a1 0',
        'b 2',
        'b0 1',
        'b00 0',
    ]);
});

test('keys stay with what they are of', () => {
    made = 0;
    const none = { gone: [], came: [], same: false };
    expect(keysAfter(KEYS, DEPTHS, DEPTHS, none, fresh)).toEqual(KEYS);
    // Test a1 into the inner suite, before its test.
    expect(
        keysAfter(
            KEYS,
            DEPTHS,
            [0, 1, 2, 1, 2, 3, 3],
            { gone: [[0, 1]], came: [[1, 0, 0]], same: true },
            fresh,
        ),
    ).toEqual(['root', 'a', 'a0', 'b', 'b0', 'a1', 'b00']);
    // Suite a, with all in it, behind suite b.
    expect(
        keysAfter(KEYS, DEPTHS, [0, 1, 2, 3, 1, 2, 2], { gone: [[0]], came: [[1]], same: true }, fresh),
    ).toEqual(['root', 'b', 'b0', 'b00', 'a', 'a0', 'a1']);
    expect(
        keysAfter(KEYS, DEPTHS, [0, 1, 2, 2, 2, 1, 2, 3], { gone: [], came: [[0, 1]], same: false }, fresh),
    ).toEqual(['root', 'a', 'a0', 'new1', 'a1', 'b', 'b0', 'b00']);
    expect(keysAfter(KEYS, DEPTHS, [0, 1, 2, 2], { gone: [[1]], came: [], same: false }, fresh)).toEqual(
        KEYS.slice(0, 4),
    );
    // What does not fit is new as a whole: no key may end on something else.
    expect(keysAfter(KEYS, DEPTHS, [0, 1], none, fresh)).toEqual(['new2', 'new3']);
});

test('of chosen items those inside of others go along with them', () => {
    expect(outermost([[0], [0, 1], [1, 0], [1, 0, 0]])).toEqual([[0], [1, 0]]);
});

test('a drop means a place', () => {
    expect(spotOf([0, 1], 'before', 0)).toEqual({ parent: [0], before: 1 });
    expect(spotOf([0, 1], 'after', 0)).toEqual({ parent: [0], before: 2 });
    expect(spotOf([1], 'into', 3)).toEqual({ parent: [1], before: 3 });
    expect(spotOf([], 'before', 2)).toEqual({ parent: [], before: 2 });
});

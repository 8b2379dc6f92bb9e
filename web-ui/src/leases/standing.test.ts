import { expect, test } from 'vitest';

import {
    covers,
    freeParts,
    inTheWay,
    LeaseMap,
    nextFree,
    pathsTo,
    spanOf,
    touch,
    type Lease,
} from './standing';

const HOUR = 3_600_000;
const at = (hour: number): string => new Date(Date.UTC(2026, 11, 1, hour)).toISOString();

function lease(id: number, of: Partial<Lease>): Lease {
    return { id, kind: 'resource', name: 'x', holder: 'person', state: 'active', asked: at(0), ...of };
}

const ana = lease(1, { user: 'ana', resources: ['/tb1'], since: at(1), until: at(4) });
const port = lease(2, { user: 'bob', resources: ['/tb2/r1/p1', '/tb2/r1/p2'], since: at(1) });
const waits = lease(3, { user: 'bob', resources: ['/tb1/r1'], state: 'waiting', place: 2 });
const first = lease(4, { user: 'cid', resources: ['/tb1/r1'], state: 'waiting', place: 1 });
const booked = lease(5, { user: 'cid', resources: ['/tb1/r1'], state: 'asked', begin: at(6), until: at(8) });
const lane = lease(6, { kind: 'ep', holder: 'run', run: 9, resources: [] });
const map = new LeaseMap([ana, port, waits, first, booked, lane]);
const ids = (leases: readonly Lease[]): number[] => leases.map(({ id }) => id);

test('a lease covers what is under it, and is in the way of what it is in', () => {
    expect(ids(map.of('/tb1/r1/p1').held)).toEqual([1]);
    expect(ids(map.of('/tb1').held)).toEqual([1]);
    expect(ids(map.of('/tb2').held)).toEqual([2]);
    expect(ids(map.of('/tb2/r1/p1').held)).toEqual([2]);
    expect(ids(map.of('/tb2/r1/p3').held)).toEqual([]);
    expect(ids(map.of('/tb10').held)).toEqual([]);
    expect(ids(map.of('/tb1/r1').waiting)).toEqual([4, 3]);
    expect(ids(map.of('/tb1/r1').booked)).toEqual([5]);
    expect(covers(ana, '/tb1/r1')).toBe(true);
    expect(covers(port, '/tb2')).toBe(false);
    expect(pathsTo('/a/b/c')).toEqual(['/a', '/a/b', '/a/b/c']);
    expect(touch('/a', '/ab')).toBe(false);
});

test('what is in the way of a time is told in its order, but not what leaves room', () => {
    const span = (from: number, to: number) => ({ from: Date.parse(at(from)), to: Date.parse(at(to)) });
    const standing = map.of('/tb1/r1');
    expect(ids(inTheWay(standing, span(3, 7)))).toEqual([1, 5]);
    expect(ids(inTheWay(standing, span(4, 6)))).toEqual([]);
    expect(ids(inTheWay(standing, span(5, 7), { besides: 5 }))).toEqual([]);
    expect(spanOf(port).to).toBe(Infinity);
    const shared = new LeaseMap([
        lease(7, { resources: ['/tb1'], shared: true, since: at(1), until: at(4) }),
    ]);
    expect(ids(inTheWay(shared.of('/tb1'), span(2, 3), { shared: true }))).toEqual([]);
    expect(ids(inTheWay(shared.of('/tb1'), span(2, 3)))).toEqual([7]);
});

test('the free parts of a time are what others leave, and nothing too short', () => {
    const free = (taken: [number, number][]) =>
        freeParts(
            { from: 0, to: 8 * HOUR },
            taken.map(([from, to]) => ({ from: from * HOUR, to: to * HOUR })),
        ).map(({ from, to }) => [from / HOUR, to / HOUR]);
    expect(free([])).toEqual([[0, 8]]);
    expect(free([[2, 3]])).toEqual([
        [0, 2],
        [3, 8],
    ]);
    expect(
        free([
            [5, 12],
            [-2, 1],
            [0.5, 2],
        ]),
    ).toEqual([[2, 5]]);
    expect(free([[0, Infinity]])).toEqual([]);
    expect(free([[0.1, 8]])).toEqual([]);
});

test('the next free time is behind what has an end, and before what leaves room', () => {
    const taken = [
        { from: 0, to: 2 },
        { from: 3, to: 6 },
    ];
    expect(nextFree(0, 1, taken)).toEqual({ from: 2, to: 3 });
    expect(nextFree(0, 2, taken)).toEqual({ from: 6, to: 8 });
    expect(nextFree(0, 1, [{ from: 0, to: Infinity }])).toBeUndefined();
});

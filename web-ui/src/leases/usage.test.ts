import { expect, test } from 'vitest';

import type { Lease } from './standing';
import { heldFor, usageOf } from './usage';

const at = (minute: number): string => new Date(Date.UTC(2026, 11, 1, 6, minute)).toISOString();
const use = (id: number, user: string, from: number, to?: number): Lease => ({
    id,
    kind: 'resource',
    name: '/tb1/r1',
    holder: 'person',
    user,
    state: to === undefined ? 'active' : 'ended',
    asked: at(0),
    since: at(from),
    ...(to === undefined ? {} : { ended: { at: at(to), how: 'holder' as const } }),
});

test('who had it longest comes first, and what goes on counts until now', () => {
    const waiting: Lease = { ...use(4, 'cid', 0), state: 'waiting', since: null };
    const { uses, byUser } = usageOf(
        [use(1, 'ana', 0, 10), use(2, 'bob', 10, 15), use(3, 'ana', 20), waiting],
        Date.parse(at(50)),
    );
    expect(uses.map(({ id }) => id)).toEqual([3, 2, 1]);
    expect(byUser).toEqual([
        { user: 'ana', millis: 40 * 60_000, count: 2 },
        { user: 'bob', millis: 5 * 60_000, count: 1 },
    ]);
    expect(heldFor(waiting, Date.parse(at(50)))).toBe(0);
});

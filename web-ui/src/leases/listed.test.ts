import { expect, test } from 'vitest';

import { isShown, showOf, SHOWS, storyOf, withWords } from './listed';
import type { Lease } from './standing';

const at = (minute: number): string => new Date(Date.UTC(2026, 11, 1, 6, minute)).toISOString();
const lease = (of: Partial<Lease>): Lease => ({
    id: 7,
    kind: 'resource',
    name: '/tb1/r1',
    holder: 'person',
    user: 'ana',
    state: 'active',
    asked: at(0),
    resources: ['/tb1/r1'],
    ...of,
});

test('each lease is in the lists that it belongs to', () => {
    const lists = (of: Partial<Lease>): string[] => SHOWS.filter((show) => isShown(lease(of), show, 'ana'));
    expect(lists({})).toEqual(['all', 'mine']);
    expect(lists({ user: 'bob' })).toEqual(['all', 'others']);
    expect(lists({ user: 'ana', holder: 'run', run: 4 })).toEqual(['all', 'mine']);
    expect(lists({ user: 'bob', state: 'waiting' })).toEqual(['all', 'waiting']);
    expect(lists({ state: 'asked' })).toEqual(['all', 'mine', 'booked']);
    expect(lists({ state: 'ended' })).toEqual(['ended']);
    expect(lists({ kind: 'ep' })).toEqual([]);
    expect(showOf('nonsense')).toBe('all');
});

test('a lease is found by who, what, why and its context', () => {
    const one = lease({ reason: 'bug 1234', context: { build: '417' } });
    for (const words of ['ana', '/tb1', 'bug 1234', 'build=417', '7 ana'])
        expect(withWords([one], words), words).toEqual([one]);
    expect(withWords([one], 'bob')).toEqual([]);
});

test('the story is told in its order', () => {
    const over = lease({
        state: 'ended',
        since: at(5),
        ended: { at: at(30), how: 'force', by: 'admin', reason: 'the rack moves' },
    });
    const deeds = [
        { at: at(0), who: 'ana', action: 'lease.take', detail: '/tb1/r1; x' },
        { at: at(5), who: 'ana', action: 'lease.accept', detail: '' },
        { at: at(20), who: 'ana', action: 'lease.allow', detail: 'bob: let in' },
        { at: at(29), who: 'admin', action: 'lease.force', detail: 'the rack moves' },
    ];
    expect(storyOf(over, deeds, Date.parse(at(40))).map(({ who, what }) => `${who} ${what}`)).toEqual([
        'ana asked for it',
        'ana took it when it was offered',
        'ana has it from then on',
        'ana changed who may use it: bob: let in',
        'admin took it away: the rack moves',
        expect.stringMatching(/^ over: taken away by admin .*\(the rack moves\)$/),
    ]);
});

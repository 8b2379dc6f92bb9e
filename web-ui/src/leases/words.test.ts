import { expect, test } from 'vitest';

import { LeaseMap, type Lease } from './standing';
import { bookingWords, ended, holderWords, news, queueWords, told, when, who } from './words';

const NOW = new Date(2026, 11, 1, 12).getTime();
const at = (hour: number, minute = 0): string => new Date(2026, 11, 1, hour, minute).toISOString();
const lease = (of: Partial<Lease>): Lease => ({
    id: 7,
    kind: 'resource',
    name: '/tb1/r1',
    holder: 'person',
    user: 'ana',
    state: 'active',
    asked: at(10),
    since: at(10),
    resources: ['/tb1/r1'],
    ...of,
});

test('who has it is a person, a run, or the lab', () => {
    expect(who(lease({}))).toBe('ana');
    expect(who(lease({ holder: 'run', run: 12 }))).toBe('ana’s run 12');
    expect(who(lease({ holder: 'run', run: 12, user: null }))).toBe('run 12');
    expect(who(lease({ holder: 'lab' }))).toBe('maintenance (ana)');
    expect(who(lease({ user: null }))).toBe('somebody');
});

test('how long is said for each state', () => {
    expect(when(lease({ until: at(13, 59) }), NOW)).toBe('1 h 59 min left');
    expect(when(lease({}), NOW)).toBe('no end');
    expect(when(lease({ state: 'ending', decide_by: at(12, 5) }), NOW)).toBe('leaves by 12:05');
    expect(when(lease({ state: 'offered', decide_by: at(12, 10) }), NOW)).toBe('to be accepted by 12:10');
    expect(when(lease({ state: 'waiting', place: 1 }), NOW)).toBe('next in the queue');
    expect(when(lease({ state: 'waiting', place: 3 }), NOW)).toBe('place 3 in the queue');
    expect(when(lease({ state: 'waiting' }), NOW)).toBe('in the queue');
    expect(when(lease({ state: 'asked', begin: at(14), until: at(16) }), NOW)).toBe('14:00–16:00');
    const over = lease({
        state: 'ended',
        ended: { at: at(11), how: 'force', by: 'bob', reason: 'the rack moves' },
    });
    expect(when(over, NOW)).toBe('taken away by bob 11:00 (the rack moves)');
    expect(ended(lease({ state: 'ended', ended: { at: at(11), how: 'loss' } }), NOW)).toBe(
        'its client was not heard of any more 11:00',
    );
});

test('a row says who has it, that only a part is taken, who waits and who is next', () => {
    const port = lease({ id: 8, user: 'bob', resources: ['/tb2/r1/p1'] });
    const waits = lease({ id: 9, user: 'cid', state: 'waiting', place: 1 });
    const booked = lease({ id: 10, user: 'cid', state: 'asked', begin: at(14), until: at(16) });
    const map = new LeaseMap([lease({ until: at(14) }), port, waits, booked]);
    const words = (path: string): string[] => {
        const standing = map.of(path);
        return [holderWords(path, standing, NOW), queueWords(standing), bookingWords(standing, NOW)];
    };
    expect(words('/tb1/r1')).toEqual(['ana, 2 h left', '1 waits', 'cid 14:00–16:00']);
    expect(words('/tb2')).toEqual(['bob: part of it', '', '']);
    expect(words('/tb3')).toEqual(['', '', '']);
    expect(told(booked, NOW)).toBe('cid has booked /tb1/r1 14:00–16:00');
    expect(told(lease({ until: at(14), reason: 'bug 1' }), NOW)).toBe('ana has /tb1/r1 until 14:00 (bug 1)');
});

test('what becomes of one’s own without one’s doing is news, and nothing else', () => {
    const me = { user: 'ana', now: NOW };
    const waiting = lease({ state: 'waiting', since: null });
    expect(news(waiting, lease({ state: 'offered', decide_by: at(12, 10) }), me)).toBe(
        '/tb1/r1 is free for you: take it by 12:10.',
    );
    expect(news(waiting, lease({ until: at(14) }), me)).toBe('/tb1/r1 is yours now, until 14:00.');
    expect(news(undefined, lease({ since: at(11) }), me)).toBe('/tb1/r1 was handed over to you.');
    const leaving = lease({
        state: 'ending',
        decide_by: at(12, 5),
        ended: { at: at(12, 5), how: 'force', by: 'bob', reason: 'x' },
    });
    expect(news(lease({}), leaving, me)).toBe('bob takes /tb1/r1 away at 12:05: x');
    const over = lease({ state: 'ended', ended: { at: at(12), how: 'expiry' } });
    expect(news(lease({}), over, me)).toBe('Your lease of /tb1/r1 is over: its time was over 12:00.');
    // Taken by oneself, given back by oneself, extended, or somebody else's.
    expect(news(undefined, lease({ asked: at(10), since: at(10) }), me)).toBeUndefined();
    expect(
        news(lease({}), lease({ state: 'ended', ended: { at: at(12), how: 'holder' } }), me),
    ).toBeUndefined();
    expect(news(lease({}), lease({ until: at(16) }), me)).toBeUndefined();
    expect(news(waiting, lease({ user: 'bob', state: 'offered' }), me)).toBeUndefined();
    expect(news(undefined, lease({ holder: 'run', run: 4, since: at(11) }), me)).toBeUndefined();
});

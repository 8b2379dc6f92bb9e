// Leases in words, the same wherever one is shown. Pure.

import type { Look } from '../parts/verdict';
import { covers, holds, isOf, spanOf, type Lease, type Standing } from './standing';
import { clockTime, left, period, withTimesOfHere } from './times';

/** Who: `ana`, `ana’s run 12`, `run 12`, `maintenance (ana)`. */
export function who({ user, run, holder }: Pick<Lease, 'user' | 'run' | 'holder'>): string {
    if (holder === 'lab') return `maintenance (${user ?? 'somebody'})`;
    if (run === undefined || run === null) return user ?? 'somebody';
    return user ? `${user}’s run ${run}` : `run ${run}`;
}

const LOOKS: Record<Lease['state'], Look> = {
    active: { tone: 'work', icon: 'play', word: 'active' },
    offered: { tone: 'warn', icon: 'question', word: 'offered' },
    ending: { tone: 'warn', icon: 'stop', word: 'leaving' },
    waiting: { tone: 'idle', icon: 'clock', word: 'waiting' },
    asked: { tone: 'idle', icon: 'dash', word: 'booked' },
    ended: { tone: 'idle', icon: 'check', word: 'over' },
};

export const look = ({ state }: Pick<Lease, 'state'>): Look => LOOKS[state];

/** When it ends, begins, or what it waits for, in a few words. */
export function when(lease: Lease, now: number): string {
    const until = lease.until ? Date.parse(lease.until) : undefined;
    const decide = lease.decide_by ? Date.parse(lease.decide_by) : undefined;
    switch (lease.state) {
        case 'active':
            return until === undefined ? 'no end' : left(until, now);
        case 'ending':
            return decide === undefined ? 'leaving' : `leaves by ${clockTime(decide, now)}`;
        case 'offered':
            return decide === undefined ? 'to be accepted' : `to be accepted by ${clockTime(decide, now)}`;
        case 'waiting':
            return lease.place
                ? lease.place === 1
                    ? 'next in the queue'
                    : `place ${lease.place} in the queue`
                : 'in the queue';
        case 'asked':
            return period(spanOf(lease).from, spanOf(lease).to, now);
        case 'ended':
            return ended(lease, now);
    }
}

const ENDS: Record<NonNullable<Lease['ended']>['how'], string> = {
    holder: 'given back',
    expiry: 'its time was over',
    force: 'taken away',
    loss: 'its client was not heard of any more',
    run_end: 'its run is over',
};

/** How it came to its end. */
export function ended({ ended: end }: Lease, now: number): string {
    if (!end) return 'over';
    const by = end.by ? ` by ${end.by}` : '';
    const why = end.reason ? ` (${end.reason})` : '';
    return `${ENDS[end.how]}${by} ${clockTime(Date.parse(end.at), now)}${why}`;
}

/** Who has a resource, and for how long; of several, how many. Empty where nobody does. */
export function holderWords(path: string, { held }: Standing, now: number): string {
    const whole = held.filter((lease) => covers(lease, path));
    const first = whole[0];
    const parts = held.length - whole.length;
    if (first === undefined) {
        if (parts === 0) return '';
        const names = [...new Set(held.map(who))];
        return `${names.slice(0, 2).join(', ')}${names.length > 2 ? ` and ${names.length - 2} more` : ''}: part of it`;
    }
    const more = whole.length > 1 ? ` and ${whole.length - 1} more, shared` : '';
    return `${who(first)}, ${when(first, now)}${more}`;
}

/** Who is next by a booking. Empty where nothing is booked. */
export function bookingWords({ booked }: Standing, now: number): string {
    const next = booked[0];
    return next === undefined ? '' : `${who(next)} ${when(next, now)}`;
}

/** How many wait. Empty where nobody does. */
export const queueWords = ({ waiting }: Standing): string =>
    waiting.length === 0 ? '' : waiting.length === 1 ? '1 waits' : `${waiting.length} wait`;

/** A lease as a sentence, for who is told of a clash: `bob has booked it 14:00–16:00 (fw test)`. */
export function told(lease: Lease, now: number): string {
    const why = lease.reason ? ` (${lease.reason})` : '';
    const has = lease.state === 'asked' ? 'has booked' : holds(lease) ? 'has' : 'waits for';
    const until = lease.until ? ` until ${clockTime(Date.parse(lease.until), now)}` : '';
    const time = lease.state === 'asked' ? ` ${when(lease, now)}` : until;
    return `${who(lease)} ${has} ${lease.name}${time}${why}`;
}

/** What one that waits, waits for. */
export const waitsFor = (lease: Lease, now: number): string =>
    lease.waits_for ? withTimesOfHere(lease.waits_for, now) : '';

/** Longer than this no lease waits without being seen to: the live feed tells sooner. */
const UNSEEN_MILLIS = 500;

/** What has become of one's own lease that is no news of one's own doing; none where there is nothing to tell. */
export function news(
    before: Lease | undefined,
    lease: Lease,
    { user, now }: { user: string; now: number },
): string | undefined {
    if (!isOf(lease, user) || before?.state === lease.state) return undefined;
    const name = lease.name;
    switch (lease.state) {
        case 'offered':
            return `${name} is free for you: take it by ${clockTime(Date.parse(lease.decide_by ?? lease.asked), now)}.`;
        case 'active':
            if (before?.state === 'waiting')
                return `${name} is yours now${lease.until ? `, until ${clockTime(Date.parse(lease.until), now)}` : ''}.`;
            // Asked for earlier than it is known here, and never waited: somebody gave it.
            return before === undefined &&
                Date.parse(lease.since ?? lease.asked) - Date.parse(lease.asked) > UNSEEN_MILLIS
                ? `${name} was handed over to you.`
                : undefined;
        case 'ending':
            return `${lease.ended?.by ?? 'Somebody'} takes ${name} away at ${clockTime(Date.parse(lease.decide_by ?? lease.asked), now)}: ${lease.ended?.reason ?? ''}`;
        case 'ended':
            return lease.ended?.how === 'holder'
                ? undefined
                : `Your lease of ${name} is over: ${ended(lease, now)}.`;
        case 'waiting':
        case 'asked':
            return undefined;
    }
}

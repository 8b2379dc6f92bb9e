// Which leases a list shows, and what became of one, step by step. Pure.

import type { Schemas } from '../api/client';
import { finder } from '../text/words';
import { holds, isOf, type Lease } from './standing';
import { ended, who } from './words';

/** The choices of the list, as its address has them. */
export const SHOWS = ['all', 'mine', 'others', 'waiting', 'booked', 'ended'] as const;
export type Show = (typeof SHOWS)[number];

export const SHOW_WORDS: Record<Show, string> = {
    all: 'open',
    mine: 'mine',
    others: 'of others',
    waiting: 'waiting',
    booked: 'booked',
    ended: 'over lately',
};

export const showOf = (text: string | undefined): Show => SHOWS.find((show) => show === text) ?? 'all';

/** Whether a lease is one of those. A lane of an EP is in none: the pages of EPs and runs tell it. */
export function isShown(lease: Lease, show: Show, user: string): boolean {
    if (lease.kind === 'ep') return false;
    if (lease.state === 'ended') return show === 'ended';
    switch (show) {
        case 'all':
            return true;
        case 'mine':
            return isOf(lease, user) || lease.user === user;
        case 'others':
            return lease.user !== user && holds(lease);
        case 'waiting':
            return lease.state === 'waiting';
        case 'booked':
            return lease.state === 'asked';
        case 'ended':
            return false;
    }
}

/** Those with all the words in who, what, why and what else is kept of them. */
export function withWords(leases: readonly Lease[], words: string): readonly Lease[] {
    const isFound = finder(words);
    return leases.filter((lease) => {
        const context = Object.entries(lease.context ?? {}).map(([key, value]) => `${key}=${value}`);
        const paths = [...(lease.resources ?? []), ...(lease.guests ?? [])];
        const texts = [
            String(lease.id),
            lease.name,
            who(lease),
            lease.reason,
            lease.note,
            ...paths,
            ...context,
        ];
        return isFound(texts.filter(Boolean).join('\n'));
    });
}

/** A step of the story of a lease. */
export type Step = { readonly at: number; readonly who: string; readonly what: string };

const DEEDS: Record<string, string> = {
    'lease.accept': 'took it when it was offered',
    'lease.release': 'gave it back',
    'lease.extend': 'extended it',
    'lease.move': 'moved the booking',
    'lease.allow': 'changed who may use it',
    'lease.transfer': 'handed it over',
    'lease.force': 'took it away',
};

/** Everything that is known to have happened to a lease, in its order. */
export function storyOf(lease: Lease, deeds: readonly Schemas['LeaseDeed'][], now: number): Step[] {
    const by = who(lease);
    const steps: Step[] = [];
    const add = (at: string | null | undefined, what: string): void => {
        if (at) steps.push({ at: Date.parse(at), who: by, what });
    };
    add(lease.asked, lease.begin ? 'booked it' : 'asked for it');
    for (const { at, who, action, detail } of deeds) {
        // Asking is told above, with the instant of the lease itself.
        if (action === 'lease.take') continue;
        const what = DEEDS[action] ?? action;
        steps.push({ at: Date.parse(at), who, what: detail ? `${what}: ${detail}` : what });
    }
    add(lease.since, 'has it from then on');
    if (lease.ended && Date.parse(lease.ended.at) <= now)
        steps.push({ at: Date.parse(lease.ended.at), who: '', what: `over: ${ended(lease, now)}` });
    return steps.sort((one, other) => one.at - other.at);
}

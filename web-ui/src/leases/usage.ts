// Who used something, and for how long: of its leases, those that were held at all. Pure.

import type { Lease } from './standing';

export type Usage = {
    /** The uses, the newest first. */
    readonly uses: readonly Lease[];
    /** By who had it, the longest first. */
    readonly byUser: readonly { user: string; millis: number; count: number }[];
};

/** How long a lease was held, until now where it still is. */
export function heldFor({ since, ended }: Lease, now: number): number {
    if (!since) return 0;
    const end = ended ? Math.min(Date.parse(ended.at), now) : now;
    return Math.max(0, end - Date.parse(since));
}

export function usageOf(leases: readonly Lease[], now: number): Usage {
    const uses = leases
        .filter(
            ({ since, state }) => since && state !== 'offered' && state !== 'waiting' && state !== 'asked',
        )
        .toSorted((one, other) => Date.parse(other.since ?? '') - Date.parse(one.since ?? ''));
    const sums = new Map<string, { user: string; millis: number; count: number }>();
    for (const lease of uses) {
        const user = lease.user ?? 'somebody';
        const known = sums.get(user) ?? { user, millis: 0, count: 0 };
        sums.set(user, { user, millis: known.millis + heldFor(lease, now), count: known.count + 1 });
    }
    const byUser = [...sums.values()].sort(
        (one, other) => other.millis - one.millis || one.user.localeCompare(other.user),
    );
    return { uses, byUser };
}

// What the person at the browser can do with a resource or a lease, as a menu has it. What would be refused is not offered.

import { deeds } from '../state/deeds.svelte';
import { leases, type Lease } from '../state/leases.svelte';
import { place } from '../state/place.svelte';
import { session } from '../state/session.svelte';
import { covers, isOf } from './standing';
import { waitsFor, who } from './words';

export type Item = { readonly name: string; readonly act: () => void };

/** Whether they may lease resources at all. */
export const mayLease = (): boolean => session.may('LOCK_TESTBED');
const manages = (): boolean => session.may('CHANGE_TESTBED');
const ask = (dialog: NonNullable<typeof leases.dialog>): void => {
    leases.dialog = dialog;
};

/** What can be done with a lease where it is shown. */
export function deedsOfLease(lease: Lease): Item[] {
    if (lease.holder === 'run') return [];
    const own = isOf(lease, session.user) && (mayLease() || session.may('LOCK_SUT'));
    if (!own && !manages()) return [];
    const other = own ? '' : ` of ${lease.user ?? 'somebody'}`;
    switch (lease.state) {
        case 'active':
            return [
                { name: `Extend${other} …`, act: () => ask({ kind: 'extend', lease }) },
                {
                    name: own ? 'Give it back …' : `Give it back for ${lease.user ?? 'them'} …`,
                    act: () => giveBack(lease),
                },
                { name: `Hand over${other} …`, act: () => ask({ kind: 'transfer', lease }) },
                { name: `Let somebody in${other} …`, act: () => ask({ kind: 'allow', lease }) },
                ...forced(lease, own),
            ];
        case 'ending':
            return own ? [{ name: 'Give it back …', act: () => giveBack(lease) }] : [];
        case 'offered':
            return own
                ? [
                      { name: 'Take it', act: () => void leases.accept(lease) },
                      { name: 'Let it go', act: () => void leases.letGo(lease) },
                  ]
                : forced(lease, own);
        case 'waiting':
            return [
                {
                    name: own ? 'Leave the queue …' : `Take ${lease.user ?? 'them'} out of the queue …`,
                    act: () => leave(lease),
                },
            ];
        case 'asked':
            return [
                { name: `Move or stretch the booking${other} …`, act: () => ask({ kind: 'move', lease }) },
                { name: `Cancel the booking${other} …`, act: () => cancel(lease) },
            ];
        case 'ended':
            return [];
    }
}

const forced = (lease: Lease, own: boolean): Item[] =>
    own || !manages()
        ? []
        : [
              {
                  name: `Take it away from ${lease.user ?? 'its holder'} …`,
                  act: () => ask({ kind: 'force', lease }),
              },
          ];

/** What can be done with a resource: with what one has of it first, then what one could have. */
export function deedsOn(path: string): Item[] {
    const standing = leases.map.of(path);
    const all = [...standing.held, ...standing.waiting, ...standing.booked];
    const own = all.filter((lease) => isOf(lease, session.user));
    const named = (lease: Lease, items: Item[]): Item[] =>
        own.length < 2 ? items : items.map((item) => ({ ...item, name: `${item.name} (lease ${lease.id})` }));
    const resources = [path];
    const others = standing.held.filter((lease) => !own.includes(lease));
    const has = own.some(({ state }) => state !== 'asked');
    const wish = mayLease()
        ? [
              ...(has
                  ? []
                  : [
                        {
                            name: standing.held.length === 0 ? 'Take it …' : 'Join the queue …',
                            act: () => ask({ kind: 'take', resources }),
                        },
                    ]),
              { name: 'Book a time …', act: () => ask({ kind: 'book', resources }) },
          ]
        : [];
    return [
        ...own.flatMap((lease) => named(lease, deedsOfLease(lease))),
        ...wish,
        ...others.filter(({ holder }) => holder !== 'run').flatMap((lease) => forcedOf(lease)),
        ...all.slice(0, 3).map((lease) => ({
            name: `Show lease ${lease.id} of ${who(lease)}`,
            act: () => place.go({ page: 'lease', lease: lease.id }),
        })),
        ...(all.length > 3
            ? [
                  {
                      name: `Show all ${all.length} leases`,
                      act: () => place.go({ page: 'leases' }, { text: path }),
                  },
              ]
            : []),
    ];
}

const forcedOf = (lease: Lease): Item[] => forced(lease, false);

/** The one deed that a row offers by itself; none where there is nothing to do. */
export function mainDeed(path: string): Item | undefined {
    const standing = leases.map.of(path);
    const own = [...standing.held, ...standing.waiting].find((lease) => isOf(lease, session.user));
    // What one has of something in it is dealt with there.
    if (own !== undefined && !covers(own, path)) return undefined;
    if (own?.state === 'offered') return { name: 'Take it', act: () => void leases.accept(own) };
    if (own?.state === 'active') return { name: 'Give back', act: () => giveBack(own) };
    if (own?.state === 'waiting') return { name: 'Leave the queue', act: () => leave(own) };
    if (own !== undefined || !mayLease()) return undefined;
    const name = standing.held.length === 0 ? 'Take' : 'Queue';
    return { name, act: () => ask({ kind: 'take', resources: [path] }) };
}

/** Who gets something when a lease of it ends. */
function nextOf(lease: Lease): string[] {
    const waiting = [...new Set((lease.resources ?? []).flatMap((path) => [...leases.map.of(path).waiting]))];
    const first = waiting[0];
    return [
        first === undefined
            ? 'Nobody waits for it.'
            : `${who(first)} waits for it${waiting.length > 1 ? `, and ${waiting.length - 1} more` : ''}, and can have it at once.`,
    ];
}

function giveBack(lease: Lease): void {
    const guests = lease.guests ?? [];
    deeds.confirm({
        title: `Give ${lease.name} back?`,
        what: [
            ...nextOf(lease),
            'Consoles that the lease let in end with it.',
            ...(guests.length > 0 ? [`${guests.join(', ')} may not use it any more either.`] : []),
        ],
        yes: 'Give it back',
        act: () => leases.release(lease),
    });
}

function leave(lease: Lease): void {
    const now = Date.now();
    deeds.confirm({
        title: `Leave the queue for ${lease.name}?`,
        what: [
            lease.place
                ? `The place in the queue is lost: ${lease.place}.`
                : 'The place in the queue is lost.',
            ...(lease.waits_for ? [`It waits for: ${waitsFor(lease, now)}`] : []),
        ],
        yes: 'Leave it',
        act: () => leases.release(lease),
    });
}

function cancel(lease: Lease): void {
    deeds.confirm({
        title: `Cancel the booking of ${lease.name}?`,
        what: ['The time is free for others at once.'],
        yes: 'Cancel the booking',
        danger: true,
        act: () => leases.release(lease),
    });
}

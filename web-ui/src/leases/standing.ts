// Who has what of the lab, waits for it and has booked it, seen from one resource. Pure: a lease covers what is under its
// resources, and whoever wants what they are in finds it in the way.

import type { Schemas } from '../api/client';

export type Lease = Schemas['LeaseView'];
export type LeaseState = Schemas['LeaseState'];

const HELD: readonly LeaseState[] = ['offered', 'active', 'ending'];

/** Whether it keeps others out now. */
export const holds = ({ state }: Pick<Lease, 'state'>): boolean => HELD.includes(state);

/** What there is of one resource. */
export type Standing = {
    /** Who has it, what it is in, or something in it. */
    held: readonly Lease[];
    /** Who waits for it, the next first. */
    waiting: readonly Lease[];
    /** Who has booked it, the next first. */
    booked: readonly Lease[];
};

/** The paths that a path is in, from the outermost; itself is the last. */
export function pathsTo(path: string): string[] {
    const names = path.split('/').slice(1);
    return names.map((_, nth) => `/${names.slice(0, nth + 1).join('/')}`);
}

/** Whether one path is the other, or in it, or it in this one. */
export const touch = (one: string, other: string): boolean =>
    one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);

const NOBODY: Standing = { held: [], waiting: [], booked: [] };
const begin = (lease: Lease): number => Date.parse(lease.begin ?? lease.since ?? lease.asked);

/** The leases of the lab by what they are for. */
export class LeaseMap {
    readonly #on = new Map<string, Lease[]>();
    readonly #below = new Map<string, Lease[]>();

    constructor(leases: readonly Lease[]) {
        for (const lease of leases) {
            // A lane of an EP is no resource.
            if (lease.kind === 'ep') continue;
            const above = new Set<string>();
            for (const path of lease.resources ?? []) {
                add(this.#on, path, lease);
                for (const each of pathsTo(path).slice(0, -1)) above.add(each);
            }
            for (const path of above) add(this.#below, path, lease);
        }
    }

    /** Every lease of a resource, of what it is in, and of what is in it; each once. */
    touching(path: string): Lease[] {
        const found = new Set(pathsTo(path).flatMap((each) => this.#on.get(each) ?? []));
        for (const lease of this.#below.get(path) ?? []) found.add(lease);
        return [...found];
    }

    /** What there is of a resource. */
    of(path: string): Standing {
        const all = this.touching(path);
        if (all.length === 0) return NOBODY;
        const waiting = all.filter(({ state }) => state === 'waiting');
        const booked = all.filter(({ state }) => state === 'asked');
        return {
            held: all.filter(holds),
            waiting: waiting.sort((one, other) => (one.place ?? Infinity) - (other.place ?? Infinity)),
            booked: booked.sort((one, other) => begin(one) - begin(other)),
        };
    }
}

function add(to: Map<string, Lease[]>, path: string, lease: Lease): void {
    const known = to.get(path);
    if (known === undefined) to.set(path, [lease]);
    else if (known.at(-1) !== lease) known.push(lease);
}

/** Whether all of a resource is in a lease: it names it, or what it is in. */
export const covers = (lease: Lease, path: string): boolean =>
    (lease.resources ?? []).some((each) => path === each || path.startsWith(`${each}/`));

/** Whether a person asked for it themselves, as maintenance too; what a run has ends with the run. */
export const isOf = (lease: Lease, user: string): boolean => lease.holder !== 'run' && lease.user === user;

/** A stretch of time. */
export type Span = { from: number; to: number };

/** When a lease takes what it is for; nobody knows the end of one that has none. */
export function spanOf(lease: Lease): Span {
    const to = lease.until ? Date.parse(lease.until) : Infinity;
    return { from: begin(lease), to };
}

/** The leases that leave no room beside them in a stretch of time, the first first. */
export function inTheWay(
    standing: Standing,
    { from, to }: Span,
    { shared = false, besides }: { shared?: boolean; besides?: number } = {},
): Lease[] {
    const near = [...standing.held, ...standing.booked].filter((lease) => {
        if (lease.id === besides || (shared && lease.shared === true)) return false;
        const taken = spanOf(lease);
        return taken.from < to && from < taken.to;
    });
    return near.sort((one, other) => spanOf(one).from - spanOf(other).from);
}

/** The parts of a stretch of time that others leave free, each at least so long. */
export function freeParts({ from, to }: Span, taken: readonly Span[], least = 15 * 60_000): Span[] {
    const parts: Span[] = [];
    let at = from;
    for (const span of taken.toSorted((one, other) => one.from - other.from)) {
        if (Math.min(span.from, to) - at >= least) parts.push({ from: at, to: Math.min(span.from, to) });
        at = Math.max(at, span.to);
        if (at >= to) return parts;
    }
    if (to - at >= least) parts.push({ from: at, to });
    return parts;
}

/** The first time from an instant on that is free for so long. Ends without one where something taken has no end. */
export function nextFree(from: number, millis: number, taken: readonly Span[]): Span | undefined {
    let at = from;
    for (const span of taken.toSorted((one, other) => one.from - other.from)) {
        if (span.from - at >= millis) break;
        at = Math.max(at, span.to);
    }
    return Number.isFinite(at) ? { from: at, to: at + millis } : undefined;
}

// The bars of a resource's row: every lease of it, of what it is in and of what is in it. Pure.

import { covers, LeaseMap, spanOf, type Lease, type Span } from '../../leases/standing';
import { drawn, lines, type Drawn } from './days';

/** A lease in the row of a resource. */
export type Bar = {
    readonly lease: Lease;
    readonly span: Span;
    readonly at: Drawn;
    readonly line: number;
    readonly of: number;
    /** Only something in the resource is taken. */
    readonly isPart: boolean;
    /** The lease names this resource: here it can be moved. */
    readonly isHere: boolean;
};

/** Lines of a row that are told apart; what else is at the same time shares the last one. */
const LINES_MAX = 4;

/** The bars of a row, in the order of time. `held` is a lease that is being dragged, with the time it would have. */
export function barsOf(
    path: string,
    map: LeaseMap,
    {
        days,
        now,
        held,
    }: { days: readonly Span[]; now: number; held?: { lease: number; span: Span } | undefined },
): Bar[] {
    const { held: has, booked } = map.of(path);
    const seen = [...has, ...booked].flatMap((lease) => {
        const own = spanOf(lease);
        // What should be over, and is not yet, lasts until now.
        const span = held?.lease === lease.id ? held.span : { from: own.from, to: Math.max(own.to, now) };
        const at = drawn(span, days);
        return at === undefined ? [] : [{ lease, span, at }];
    });
    seen.sort((one, other) => one.span.from - other.span.from || one.lease.id - other.lease.id);
    const placed = lines(seen.map(({ span }) => span));
    return seen.map(({ lease, span, at }, nth) => {
        const { line = 0, of = 1 } = placed[nth] ?? {};
        return {
            lease,
            span,
            at,
            line: Math.min(line, LINES_MAX - 1),
            of: Math.min(of, LINES_MAX),
            isPart: !covers(lease, path),
            isHere: (lease.resources ?? []).includes(path),
        };
    });
}

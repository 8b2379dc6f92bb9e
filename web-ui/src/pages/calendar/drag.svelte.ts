// What the pointer does on the grid of the calendar: a new time is drawn, a booking is moved or stretched. Until the engine
// has answered the bar stays where it was dropped.

import { clock } from '../../state/clock.svelte';
import { leases, type Lease } from '../../state/leases.svelte';
import { deeds } from '../../state/deeds.svelte';
import { problemOf } from '../../api/problem';
import { inTheWay, spanOf, type Span } from '../../leases/standing';
import { dragged, timeAt, SNAP_MILLIS, type Grip } from './days';

/** What is under way. */
export type Dragging = {
    grip: Grip;
    path: string;
    lease: Lease | undefined;
    was: Span;
    taken: number;
    span: Span;
};

export class Drag {
    now = $state.raw<Dragging>();
    /** Whether the pointer has gone anywhere: a click is no drag. */
    #moved = false;

    /** Whoever is in the way of the time that is dragged to. */
    readonly way: readonly Lease[] = $derived.by(() => {
        const { now } = this;
        if (now === undefined) return [];
        const paths = now.lease?.resources ?? [now.path];
        const sharing = {
            shared: now.lease?.shared === true,
            ...(now.lease ? { besides: now.lease.id } : {}),
        };
        const found = paths.flatMap((path) => inTheWay(leases.map.of(path), now.span, sharing));
        return [...new Map(found.map((lease) => [lease.id, lease])).values()];
    });

    /** The lease that is dragged, with the time it would have. */
    get held(): { lease: number; span: Span } | undefined {
        return this.now?.lease === undefined ? undefined : { lease: this.now.lease.id, span: this.now.span };
    }

    begin(grip: Grip, path: string, lease: Lease | undefined, place: number, days: readonly Span[]): void {
        const taken = timeAt(place, days);
        const was = lease ? spanOf(lease) : { from: taken, to: taken + SNAP_MILLIS };
        this.#moved = false;
        this.now = { grip, path, lease, was, taken, span: was };
    }

    move(place: number, days: readonly Span[]): void {
        if (this.now === undefined) return;
        const at = timeAt(place, days);
        if (at !== this.now.taken) this.#moved = true;
        const span = dragged(this.now.grip, this.now.was, this.now.taken, at);
        // Nothing can be booked in the past; what is drawn there begins now.
        const soonest = Math.ceil(clock.now / SNAP_MILLIS) * SNAP_MILLIS;
        const from = this.now.grip === 'new' && span.from < soonest ? soonest : span.from;
        this.now = { ...this.now, span: { from, to: span.to } };
    }

    /** Gives up: nothing has happened. */
    cancel(): void {
        this.now = undefined;
    }

    /** The pointer lets go. Answers whether anything was dragged at all. */
    async drop(): Promise<boolean> {
        const { now } = this;
        if (now === undefined || !this.#moved) {
            this.now = undefined;
            return false;
        }
        const { from, to } = now.span;
        if (now.lease === undefined) {
            this.now = undefined;
            if (to > from) leases.dialog = { kind: 'book', resources: [now.path], from, to };
            else deeds.tell('That time is over; nothing can be booked in the past.');
            return true;
        }
        try {
            if (now.lease.state === 'active') await leases.extend(now.lease, to);
            else await leases.move(now.lease, from, to);
        } catch (thrown) {
            const problem = problemOf(thrown);
            if (now.lease.state === 'active') deeds.refuse(`${now.lease.name} was not extended`, thrown);
            else leases.dialog = { kind: 'move', lease: now.lease, from, to, problem: problem.message };
        } finally {
            this.now = undefined;
        }
        return true;
    }
}

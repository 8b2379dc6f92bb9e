// Where items of a project are: by ways, as the engine counts them, and by keys, which stay the same while things are moved. Pure.

import type { Part } from '../tree/drag';

/** The numbers of the items on the way to one, each counted in the one around it; `[]` is the project. */
export type Way = readonly number[];

/** The way to each item, of items in order with their depths; the project, which comes first, has depth 0. */
export function waysOf(depths: readonly number[]): Way[] {
    const counts: number[] = [];
    return depths.map((depth) => {
        counts.length = Math.min(counts.length, depth);
        if (depth === 0) return [];
        counts[depth - 1] = (counts[depth - 1] ?? -1) + 1;
        return counts.slice(0, depth);
    });
}

/** A way as text, for the address: `0.2`. */
export const written = (way: Way): string => way.join('.');

/** Whether one item is another, or in it. */
export const isWithin = (way: Way, other: Way): boolean =>
    other.length <= way.length && other.every((step, at) => way[at] === step);

/** The items of which none is inside another. */
export function outermost(ways: readonly Way[]): Way[] {
    const all = new Set(ways.map(written));
    return ways.filter((way) => !around(way).some((other) => all.has(written(other))));
}

/** The ways to all that an item stands in, from the outside in. */
export const around = (way: Way): Way[] => way.map((_, depth) => way.slice(0, depth));

/** What a change did: what was taken out, what was put in, and whether that is the same. */
export type Moved = { readonly gone: readonly Way[]; readonly came: readonly Way[]; readonly same: boolean };

/**
 * The keys of all items after a change: who stays keeps their key, who was moved takes it along, who is new gets one. All are new where the
 * change cannot have led from the one to the other.
 */
export function keysAfter(
    keys: readonly string[],
    before: readonly number[],
    after: readonly number[],
    { gone, came, same }: Moved,
    fresh: () => string,
): string[] {
    const [left, entered] = [partsOf(before, gone), partsOf(after, came)];
    const stays = keys.filter((_, at) => !left.has(at));
    const moves = same ? keys.filter((_, at) => left.has(at)) : [];
    const fits = stays.length === after.length - entered.size && (!same || moves.length === entered.size);
    if (!fits) return after.map(fresh);
    let [stay, move] = [0, 0];
    return after.map((_, at) => {
        if (!entered.has(at)) return stays[stay++] ?? fresh();
        return moves[move++] ?? fresh();
    });
}

/** The places of these items and of all that is in them. */
function partsOf(depths: readonly number[], ways: readonly Way[]): Set<number> {
    const tops = new Set(ways.map(written));
    const parts = new Set<number>();
    if (ways.length === 0) return parts;
    let within = Infinity;
    for (const [at, way] of waysOf(depths).entries()) {
        if (way.length > within) parts.add(at);
        else {
            within = tops.has(written(way)) ? way.length : Infinity;
            if (within !== Infinity) parts.add(at);
        }
    }
    return parts;
}

/** Where what is dropped stands then: in what, and before which of its items. */
export type Spot = { readonly parent: Way; readonly before: number };

/** What a drop at a part of an item means; `below` is how many items it holds. */
export function spotOf(way: Way, part: Part, below: number): Spot {
    if (part === 'into' || way.length === 0) return { parent: way, before: below };
    return { parent: way.slice(0, -1), before: (way.at(-1) ?? 0) + (part === 'after' ? 1 : 0) };
}

// Dragging in a tree: what a place under the pointer means.

/** Where of a row: above it, in it, or below it. */
export type Part = 'before' | 'into' | 'after';

/** A row under the pointer. */
export type Target = { readonly id: string; readonly part: Part };

/** What a page lets be dragged and dropped in its tree. */
export interface Dragging<T> {
    /** Whether it can be dragged. */
    may(item: T): boolean;
    /** Whether others can be put into it. */
    holds(item: T): boolean;
    /** These are dragged now. */
    begin(event: DragEvent, ids: ReadonlySet<string>): void;
    /** Whether what is dragged may be dropped there. */
    over?(event: DragEvent, target: Target): boolean;
    drop?(event: DragEvent, target: Target): void;
}

/** What a height in a row means, from 0 at its top to 1. Below an open branch is in it: its first node is drawn there. */
export function partOf(height: number, holds: boolean, isOpen: boolean): Part {
    if (!holds) return height < 0.5 ? 'before' : 'after';
    if (height < 0.3) return 'before';
    return height > 0.7 && !isOpen ? 'after' : 'into';
}

// What a key does in a tree, as the ARIA Authoring Practices say. Pure: the view carries it out.

import type { Row } from './tree';

/** What is to happen. */
export type Deed =
    | { readonly kind: 'go'; readonly to: number }
    | { readonly kind: 'open'; readonly ids: readonly string[] }
    | { readonly kind: 'close'; readonly ids: readonly string[] }
    | { readonly kind: 'choose'; readonly id: string };

/** Where the tree stands. */
export interface Standing<T> {
    readonly rows: readonly Row<T>[];
    /** The row that has the focus. */
    readonly at: number;
    /** How many rows fit the view, for Page Up and Page Down. */
    readonly page: number;
}

/** Keys that begin at the first row while no row has the focus. */
const WALKS: ReadonlySet<string> = new Set(['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'j', 'k']);

/** What a key means here; none where it is not for the tree. */
export function deed<T>(key: string, { rows, at, page }: Standing<T>): Deed | undefined {
    const row = rows[at];
    if (row === undefined) return rows.length > 0 && WALKS.has(key) ? { kind: 'go', to: 0 } : undefined;
    const go = (to: number): Deed => ({ kind: 'go', to: Math.max(0, Math.min(rows.length - 1, to)) });
    switch (key) {
        case 'ArrowDown':
        case 'j':
            return go(at + 1);
        case 'ArrowUp':
        case 'k':
            return go(at - 1);
        case 'PageDown':
            return go(at + page);
        case 'PageUp':
            return go(at - page);
        case 'Home':
            return go(0);
        case 'End':
            return go(rows.length - 1);
        case 'ArrowRight':
            if (row.open === undefined) return undefined;
            return row.open ? go(at + 1) : { kind: 'open', ids: [row.entry.id] };
        case 'ArrowLeft':
            if (row.open === true) return { kind: 'close', ids: [row.entry.id] };
            return go(parentOf(rows, at) ?? at);
        case '*':
            return { kind: 'open', ids: closedSiblings(rows, at) };
        case 'Enter':
        case ' ':
            return { kind: 'choose', id: row.entry.id };
        default:
            return undefined;
    }
}

function parentOf<T>(rows: readonly Row<T>[], at: number): number | undefined {
    const depth = rows[at]?.entry.depth ?? 0;
    for (let index = at - 1; index >= 0; index -= 1) {
        if ((rows[index]?.entry.depth ?? 0) < depth) return index;
    }
    return undefined;
}

function closedSiblings<T>(rows: readonly Row<T>[], at: number): string[] {
    const depth = rows[at]?.entry.depth ?? 0;
    const ids: string[] = [];
    const look = (index: number): boolean => {
        const row = rows[index];
        if (row === undefined || row.entry.depth < depth) return false;
        if (row.entry.depth === depth && row.open === false) ids.push(row.entry.id);
        return true;
    };
    let first = at;
    while (first > 0 && (rows[first - 1]?.entry.depth ?? -1) >= depth) first -= 1;
    for (let index = first; look(index); index += 1);
    return ids;
}

/** How long after a letter the next one belongs to the same word. */
export const TYPING_MILLIS = 700;

/**
 * Typing finds: letters that follow each other quickly are one word, and the focus goes to the next row that begins with
 * it. The same letter again and again walks through all rows that begin with it.
 */
export class Typing {
    private word = '';
    private last = Number.NEGATIVE_INFINITY;

    /** Where a letter leads; none where no row begins so. `now` is in milliseconds of any clock that only goes forward. */
    find(letter: string, now: number, names: readonly string[], at: number): number | undefined {
        const goesOn = now - this.last <= TYPING_MILLIS;
        this.last = now;
        this.word = goesOn ? this.word + letter.toLowerCase() : letter.toLowerCase();
        const isOneLetter = [...this.word].every((each) => each === this.word[0]);
        const wanted = isOneLetter ? (this.word[0] ?? '') : this.word;
        // A word that grows may still mean the row it found; a letter by itself means the next one.
        const from = isOneLetter ? at + 1 : at;
        for (let step = 0; step < names.length; step += 1) {
            const index = (from + step) % names.length;
            if (names[index]?.toLowerCase().startsWith(wanted) === true) return index;
        }
        return undefined;
    }

    /** Whether a word is under way, so that a space belongs to it. */
    isOn(now: number): boolean {
        return this.word !== '' && now - this.last <= TYPING_MILLIS;
    }
}

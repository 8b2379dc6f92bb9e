// A tree as one flat array in the order in which it is drawn, so that ten thousand rows cost a walk and no recursion.
//
// Each entry knows how many entries lie below it. A closed branch is skipped by that number, and a branch is moved by
// cutting one slice out of the array and putting it back elsewhere. A tree never changes: each edit gives a new one, which
// shares all untouched entries, so keeping a hundred of them for undo costs little.

/** One node with its place. */
export interface Entry<T> {
    /** Unique in the tree, and the same for as long as the thing exists. */
    readonly id: string;
    /** How many nodes stand above it. */
    readonly depth: number;
    /** How many nodes lie below it, at any depth. */
    readonly below: number;
    /** What is drawn. */
    readonly item: T;
}

/** An entry that is to be drawn, with all that a screen reader is told. */
export interface Row<T> {
    readonly entry: Entry<T>;
    /** Its place in the whole tree. */
    readonly index: number;
    /** Counted from 1 among its visible siblings. */
    readonly position: number;
    /** How many visible siblings there are, itself included. */
    readonly siblings: number;
    /** Whether it is open; none for a leaf. */
    readonly open: boolean | undefined;
}

/** Why a move was refused. */
export type Refusal = 'no such node' | 'into itself';

/** How to read a nested thing. */
export interface Nested<T> {
    id(item: T): string;
    children(item: T): readonly T[];
}

export class FlatTree<T> {
    private places: Map<string, number> | undefined;

    private constructor(readonly entries: readonly Entry<T>[]) {}

    /** Flattens nested things. Walks with a stack of its own: a deep tree must not overflow the browser's. */
    static of<T>(roots: readonly T[], nested: Nested<T>): FlatTree<T> {
        const flat: { id: string; depth: number; below: number; item: T }[] = [];
        const open: { children: readonly T[]; next: number; at: number }[] = [
            { children: roots, next: 0, at: -1 },
        ];
        for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
            const item = top.children[top.next];
            if (item === undefined) {
                const done = flat[top.at];
                if (done !== undefined) done.below = flat.length - top.at - 1;
                open.pop();
                continue;
            }
            top.next += 1;
            flat.push({ id: nested.id(item), depth: open.length - 1, below: 0, item });
            open.push({ children: nested.children(item), next: 0, at: flat.length - 1 });
        }
        return new FlatTree(flat);
    }

    /** A tree of things that come in the order in which they are drawn, each with its depth. */
    static ordered<T>(items: readonly T[], of: { id(item: T): string; depth(item: T): number }): FlatTree<T> {
        const flat = items.map((item) => ({ id: of.id(item), depth: of.depth(item), below: 0, item }));
        // The last node seen at each depth holds what follows deeper.
        const open: { depth: number; below: number }[] = [];
        for (const entry of flat) {
            while ((open.at(-1)?.depth ?? -1) >= entry.depth) open.pop();
            for (const above of open) above.below += 1;
            open.push(entry);
        }
        return new FlatTree(flat);
    }

    get size(): number {
        return this.entries.length;
    }

    /** Where a node stands; none where it is not in the tree. */
    indexOf(id: string): number | undefined {
        if (this.places === undefined) {
            const places = new Map<string, number>();
            this.entries.forEach((entry, index) => places.set(entry.id, index));
            this.places = places;
        }
        return this.places.get(id);
    }

    get(id: string): Entry<T> | undefined {
        const at = this.indexOf(id);
        return at === undefined ? undefined : this.entries[at];
    }

    /** The nodes above one, outermost first. */
    ancestors(id: string): Entry<T>[] {
        const at = this.indexOf(id);
        const above: Entry<T>[] = [];
        if (at === undefined) return above;
        let depth = this.entries[at]?.depth ?? 0;
        for (let index = at - 1; index >= 0 && depth > 0; index -= 1) {
            const entry = this.entries[index];
            if (entry !== undefined && entry.depth < depth) {
                above.push(entry);
                depth = entry.depth;
            }
        }
        return above.reverse();
    }

    /** The ids of every node that has others below it, down to and without a level; all of them without one. */
    branches(level = Number.POSITIVE_INFINITY): Set<string> {
        const ids = new Set<string>();
        for (const entry of this.entries) {
            if (entry.below > 0 && entry.depth < level) ids.add(entry.id);
        }
        return ids;
    }

    /** What is drawn while these branches are open. */
    rows(open: ReadonlySet<string>): Row<T>[] {
        return this.walk(open, () => true);
    }

    /**
     * What is drawn while a filter is on: what it keeps, and every node above that, all open. What lies below a kept node
     * stays away unless it is kept itself.
     */
    filtered(keeps: (item: T) => boolean): Row<T>[] {
        const kept = new Uint8Array(this.entries.length);
        // The last entry seen at each depth is the ancestor of what follows deeper.
        const path: number[] = [];
        this.entries.forEach((entry, index) => {
            path[entry.depth] = index;
            if (!keeps(entry.item)) return;
            for (let depth = entry.depth; depth >= 0; depth -= 1) {
                const above = path[depth];
                if (above === undefined || kept[above] === 1) break;
                kept[above] = 1;
            }
        });
        return this.walk(undefined, (index) => kept[index] === 1);
    }

    private walk(open: ReadonlySet<string> | undefined, shown: (index: number) => boolean): Row<T>[] {
        const rows: {
            entry: Entry<T>;
            index: number;
            position: number;
            siblings: number;
            open: boolean | undefined;
        }[] = [];
        // Rows of a level share one counter, which each row is given when the level is complete.
        const levels: number[][] = [];
        const close = (depth: number): void => {
            while (levels.length > depth) {
                const level = levels.pop() ?? [];
                for (const at of level) {
                    const row = rows[at];
                    if (row !== undefined) row.siblings = level.length;
                }
            }
        };
        for (let index = 0; index < this.entries.length; index += 1) {
            const entry = this.entries[index];
            if (entry === undefined) break;
            if (!shown(index)) {
                index += entry.below;
                continue;
            }
            close(entry.depth + 1);
            const level = (levels[entry.depth] ??= []);
            level.push(rows.length);
            const isOpen = entry.below === 0 ? undefined : (open?.has(entry.id) ?? true);
            rows.push({ entry, index, position: level.length, siblings: 0, open: isOpen });
            if (isOpen === false) index += entry.below;
        }
        close(0);
        return rows;
    }

    /**
     * Moves a node with all below it: under a parent, or to the top without one, before the child that stands at
     * `position` there, counted without the moved node.
     */
    move(id: string, parent: string | undefined, position: number): FlatTree<T> | Refusal {
        const at = this.indexOf(id);
        const moved = at === undefined ? undefined : this.entries[at];
        if (at === undefined || moved === undefined) return 'no such node';
        const slice = this.entries.slice(at, at + 1 + moved.below);
        if (parent !== undefined) {
            const under = this.indexOf(parent);
            if (under === undefined) return 'no such node';
            if (under >= at && under <= at + moved.below) return 'into itself';
        }
        return this.without(at).put(slice, parent, position);
    }

    /** Takes a node away, with all below it. */
    remove(id: string): FlatTree<T> {
        const at = this.indexOf(id);
        return at === undefined ? this : this.without(at);
    }

    /** Puts another tree into this one. */
    insert(tree: FlatTree<T>, parent: string | undefined, position: number): FlatTree<T> | Refusal {
        if (parent !== undefined && this.indexOf(parent) === undefined) return 'no such node';
        return this.put(tree.entries, parent, position);
    }

    private without(at: number): FlatTree<T> {
        const gone = this.entries[at];
        if (gone === undefined) return this;
        const rest = this.entries.slice(0, at).concat(this.entries.slice(at + 1 + gone.below));
        grow(rest, at - 1, gone.depth, -(gone.below + 1));
        return new FlatTree(rest);
    }

    private put(slice: readonly Entry<T>[], parent: string | undefined, position: number): FlatTree<T> {
        const under = parent === undefined ? -1 : (this.indexOf(parent) ?? -1);
        const above = this.entries[under];
        const depth = above === undefined ? 0 : above.depth + 1;
        const end = above === undefined ? this.entries.length : under + 1 + above.below;
        let at = under + 1;
        for (let passed = 0; passed < position && at < end; passed += 1) {
            at += 1 + (this.entries[at]?.below ?? 0);
        }
        const shift = depth - (slice[0]?.depth ?? 0);
        const placed = shift === 0 ? slice : slice.map((entry) => ({ ...entry, depth: entry.depth + shift }));
        const all = this.entries.slice(0, at).concat(placed, this.entries.slice(at));
        grow(all, at - 1, depth, slice.length);
        return new FlatTree(all);
    }
}

/** Tells every ancestor of a place that so many nodes came below it; `from` is the entry before that place. */
function grow<T>(entries: Entry<T>[], from: number, depth: number, by: number): void {
    let wanted = depth;
    for (let index = from; index >= 0 && wanted > 0; index -= 1) {
        const entry = entries[index];
        if (entry !== undefined && entry.depth < wanted) {
            entries[index] = { ...entry, below: entry.below + by };
            wanted = entry.depth;
        }
    }
}

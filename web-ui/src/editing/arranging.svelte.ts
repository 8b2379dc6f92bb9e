// What a person does with the items of a file, whatever they are: chooses, moves, copies and removes them. Each deed is one step of the draft,
// with a name that Undo shows, and is said to those who listen. What may stand where, and what it is called, each kind of file says itself.

import { deeds } from '../state/deeds.svelte';
import type { Base, Draft, Placed } from '../state/draft.svelte';
import { isWithin, outermost, written, type Moved, type Spot, type Way } from '../state/ways';
import { sentence } from '../text/words';

/** What was cut or copied: by keys, so that it can move meanwhile. */
type Clip = { keys: ReadonlySet<string>; isCut: boolean };

export abstract class Arranging<I extends Base = Base, C = unknown> {
    /** The key of the item that has the focus. */
    at = $state<string>();
    marked = $state.raw<ReadonlySet<string>>(new Set());
    closed = $state.raw<ReadonlySet<string>>(new Set());
    clip = $state.raw<Clip>();
    /** What was done last, for who listens. */
    said = $state('');
    /** Items are dragged now. */
    dragged = $state.raw<readonly Way[]>([]);

    /** The chosen items, in the order of the file; the file itself where nothing is chosen. */
    readonly chosen: readonly Placed<I>[] = $derived.by(() => {
        const marked = this.draft.items.filter(({ key }) => this.marked.has(key));
        if (marked.length > 0) return marked;
        const at = this.draft.items.find(({ key }) => key === this.at) ?? this.draft.items[0];
        return at === undefined ? [] : [at];
    });
    /** Those of them that stand in something, without what is inside of another. */
    readonly tops: readonly Placed<I>[] = $derived.by(() => {
        const tops = new Set(outermost(this.chosen.map(({ way }) => way)).map(written));
        return this.chosen.filter(({ way }) => way.length > 0 && tops.has(written(way)));
    });

    constructor(readonly draft: Draft<I, C>) {}

    abstract get mayEdit(): boolean;
    /** Items in a sentence: `test a.py`, `12 tests`. */
    abstract of(items: readonly Placed<I>[]): string;
    /** What holds others, in a sentence: `the project`, `suite Smoke`. */
    abstract place(holder: Placed<I> | undefined): string;
    /** Whether it can hold anything. */
    abstract holds(item: Placed<I>): boolean;
    /** Whether such a holder takes such items. */
    protected abstract takes(holder: Placed<I>, items: readonly Placed<I>[]): boolean;
    /** What most things stand in: `suite`, `folder`. */
    abstract readonly holder: string;
    /** Why something cannot stand somewhere. */
    protected abstract readonly rule: string;
    protected abstract removing(items: Way[]): C;
    protected abstract moving(items: Way[], spot: Spot): C;
    protected abstract copying(items: Way[], spot: Spot): C;

    choose(items: readonly Placed<I>[]): void {
        this.marked = new Set(items.map(({ key }) => key));
        this.at = items[0]?.key;
        const open = new Set(this.closed);
        for (const { key } of items) for (const { id } of this.draft.tree.ancestors(key)) open.delete(id);
        this.closed = open;
    }

    async remove(items = this.tops): Promise<boolean> {
        if (items.length === 0) return false;
        const gone = items.map(({ way }) => [...way]);
        const next = this.#besides(items);
        const name = `Remove ${this.of(items)}`;
        const moved = (): Moved => ({ gone, came: [], same: false });
        if ((await this.draft.change(name, [this.removing(gone)], moved)) === undefined) return false;
        this.choose(next === undefined ? [] : this.draft.items.filter(({ key }) => key === next));
        return this.say(`${sentence(name)}: done.`);
    }

    /** The key of what has the focus when these are gone. */
    #besides(items: readonly Placed<I>[]): string | undefined {
        const ways = items.map(({ way }) => way);
        const stays = (item: Placed<I>) => !ways.some((way) => isWithin(item.way, way));
        const first = this.draft.items.findIndex(({ key }) => key === items[0]?.key);
        const after = this.draft.items.slice(first).find(stays);
        return (after ?? this.draft.items.slice(0, first).findLast(stays))?.key;
    }

    async move(spot: Spot, items: readonly Way[] = this.tops.map(({ way }) => way)): Promise<boolean> {
        const tops = outermost(items);
        if (tops.length === 0 || !this.may(spot, tops)) return false;
        const gone = tops.map((way) => [...way]);
        const name = `Move ${this.of(this.itemsAt(tops))} to ${this.place(this.draft.at(spot.parent))}`;
        return this.moved(name, this.moving(gone, spot), (came) => ({ gone, came, same: true }));
    }

    async copy(spot: Spot, items: readonly Way[] = this.tops.map(({ way }) => way)): Promise<boolean> {
        const tops = outermost(items);
        if (tops.length === 0 || !this.may(spot, tops, true)) return false;
        const change = this.copying(
            tops.map((way) => [...way]),
            spot,
        );
        const name = `Copy ${this.of(this.itemsAt(tops))} to ${this.place(this.draft.at(spot.parent))}`;
        return this.moved(name, change, (came) => ({ gone: [], came, same: false }));
    }

    protected async moved(name: string, change: C, moved: (about: Way[]) => Moved): Promise<boolean> {
        const about = await this.draft.change(name, [change], moved);
        if (about === undefined) return false;
        this.choose(this.itemsAt(about));
        return this.say(`${sentence(name)}: done.`);
    }

    /** Whether these may stand there, and not in themselves. */
    may({ parent }: Pick<Spot, 'parent'>, items: readonly Way[], asCopies = false): boolean {
        const holder = this.draft.at(parent);
        if (holder === undefined || !this.holds(holder)) return false;
        if (!asCopies && items.some((way) => isWithin(parent, way))) return false;
        return this.takes(holder, this.itemsAt(items));
    }

    /** One place up or down; at the edge of its holder an item goes to the one beside it. */
    async shift(by: 1 | -1): Promise<boolean> {
        const [first, last] = [this.tops[0], this.tops.at(-1)];
        if (first === undefined || last === undefined) return false;
        const parent = first.way.slice(0, -1);
        const edge = (by < 0 ? first : last).way.at(-1) ?? 0;
        const isAtEdge = by < 0 ? edge === 0 : edge === this.count(parent) - 1;
        if (!isAtEdge) return this.move({ parent, before: by < 0 ? edge - 1 : edge + 2 });
        const around = parent.at(-1);
        const beside = around === undefined ? undefined : [...parent.slice(0, -1), around + by];
        const holder = beside && this.draft.at(beside);
        if (beside === undefined || holder === undefined || !this.holds(holder)) {
            this.say(by < 0 ? 'It is the first here.' : 'It is the last here.');
            return false;
        }
        return this.move({ parent: beside, before: by < 0 ? this.count(beside) : 0 });
    }

    /** Out of what it is in, or into what stands before it. */
    async shiftDepth(by: 1 | -1): Promise<boolean> {
        const first = this.tops[0];
        if (first === undefined) return false;
        const [parent, nth] = [first.way.slice(0, -1), first.way.at(-1) ?? 0];
        const before = [...parent, nth - 1];
        const spot =
            by < 0
                ? { parent: parent.slice(0, -1), before: (parent.at(-1) ?? -1) + 1 }
                : { parent: before, before: this.count(before) };
        const ways = this.tops.map(({ way }) => way);
        const fits = by < 0 ? parent.length > 0 : nth > 0;
        if (fits && this.may(spot, ways)) return this.move(spot);
        this.say(by < 0 ? 'It can stand nowhere further out.' : 'Nothing before it can hold it.');
        return false;
    }

    cut(isCut: boolean): void {
        if (this.tops.length === 0) return;
        this.clip = { keys: new Set(this.tops.map(({ key }) => key)), isCut };
        this.say(`${isCut ? 'Cut' : 'Copied'} ${this.of(this.tops)}: go where it shall be, and paste.`);
    }

    async paste(): Promise<boolean> {
        const clip = this.clip;
        const at = this.chosen.at(-1);
        if (clip === undefined || at === undefined) return false;
        const items = this.draft.items.filter(({ key }) => clip.keys.has(key)).map(({ way }) => way);
        const spot = this.spotAt(at);
        if (!this.may(spot, items, !clip.isCut)) {
            this.say(this.rule);
            deeds.tell(this.said);
            return false;
        }
        if (!clip.isCut) return this.copy(spot, items);
        this.clip = undefined;
        return this.move(spot, items);
    }

    /** Where something goes that is put to an item: to the end of what it holds, or behind it where it holds nothing. */
    protected spotAt(item: Placed<I>): Spot {
        if (this.holds(item)) return { parent: item.way, before: this.count(item.way) };
        return { parent: item.way.slice(0, -1), before: (item.way.at(-1) ?? 0) + 1 };
    }

    /** How many items an item holds. */
    count(way: Way): number {
        return this.draft.items.filter(
            (item) => item.way.length === way.length + 1 && isWithin(item.way, way),
        ).length;
    }

    protected itemsAt(ways: readonly Way[]): Placed<I>[] {
        const wanted = new Set(ways.map(written));
        return this.draft.items.filter(({ way }) => wanted.has(written(way)));
    }

    protected say(text: string): true {
        // The same words again are news to who listens.
        this.said = this.said === text ? `${text} ` : text;
        return true;
    }
}

/** A text that nobody else has: also where a page is not served by HTTPS, and has no `randomUUID`. */
export function unique(): string {
    const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

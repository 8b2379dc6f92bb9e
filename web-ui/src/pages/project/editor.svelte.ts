// What a person does in the editor of a project: chooses items, changes and moves them. Each deed is one step of the draft, with a name that
// Undo shows, and is said to those who listen.

import { deeds } from '../../state/deeds.svelte';
import type { Change, Draft, Item } from '../../state/draft.svelte';
import { session } from '../../state/session.svelte';
import { isWithin, outermost, written, type Moved, type Spot, type Way } from '../../state/ways';
import { isTrue, labelOf, of, sentence } from './words';

/** What was cut or copied: by keys, so that it can move meanwhile. */
type Clip = { keys: ReadonlySet<string>; isCut: boolean };

export class Editor {
    /** The key of the item that has the focus. */
    at = $state<string>();
    marked = $state.raw<ReadonlySet<string>>(new Set());
    closed = $state.raw<ReadonlySet<string>>(new Set());
    clip = $state.raw<Clip>();
    /** What was done last, for who listens. */
    said = $state('');
    /** Items are dragged now. */
    dragged = $state.raw<readonly Way[]>([]);
    /** Files are dragged now. */
    files = $state.raw<readonly string[]>([]);

    readonly mayEdit = $derived(session.may('CHANGE_PROJECT'));
    /** The chosen items, in the order of the file; the project where nothing is chosen. */
    readonly chosen: readonly Item[] = $derived.by(() => {
        const marked = this.draft.items.filter(({ key }) => this.marked.has(key));
        if (marked.length > 0) return marked;
        const at = this.draft.items.find(({ key }) => key === this.at) ?? this.draft.items[0];
        return at === undefined ? [] : [at];
    });
    /** Those of them that stand in a suite or the project, without what is inside of another. */
    readonly tops: readonly Item[] = $derived.by(() => {
        const tops = new Set(outermost(this.chosen.map(({ way }) => way)).map(written));
        return this.chosen.filter(({ way }) => way.length > 0 && tops.has(written(way)));
    });

    constructor(readonly draft: Draft) {}

    choose(items: readonly Item[]): void {
        this.marked = new Set(items.map(({ key }) => key));
        this.at = items[0]?.key;
        const open = new Set(this.closed);
        for (const { key } of items) for (const { id } of this.draft.tree.ancestors(key)) open.delete(id);
        this.closed = open;
    }

    /** Another text for a field of these items. */
    set(items: readonly Item[], field: string, value: string): Promise<boolean> {
        const changes = items
            .filter((item) => (item.fields[field] ?? '') !== value)
            .map((item): Change => ({ change: 'set', at: [...item.way], field, value }));
        const name = field === 'tsName' || field === 'tcName' ? 'Rename' : `Set ${labelOf(field)}`;
        return this.#value(`${name} of ${of(items)}`, changes);
    }

    /** Another value for a property of these items; none takes it away. */
    setPair(items: readonly Item[], name: string, value: string | undefined, nth = 0): Promise<boolean> {
        const changes = items
            .filter((item) => pairsOf(item, name)[nth] !== value)
            .map((item): Change => ({
                change: 'property',
                at: [...item.way],
                name,
                nth,
                ...(value === undefined ? {} : { value }),
            }));
        const verb = value === undefined ? 'Remove' : 'Set';
        return this.#value(`${verb} ${labelOf(name)} of ${of(items)}`, changes);
    }

    /** Another dependency, and an ID for what is depended on, if it has none. */
    depend(item: Item, value: string, ids: readonly { item: Item; id: string }[]): Promise<boolean> {
        const changes: Change[] = [
            ...ids.map(({ item, id }): Change => ({
                change: 'set',
                at: [...item.way],
                field: 'ID',
                value: id,
            })),
            { change: 'set', at: [...item.way], field: 'Dependency', value },
        ];
        return this.#value(`Set the dependency of ${of([item])}`, changes);
    }

    async #value(name: string, changes: Change[]): Promise<boolean> {
        if (changes.length === 0) return true;
        return (
            (await this.draft.change(name, changes)) !== undefined && this.#say(`${sentence(name)}: done.`)
        );
    }

    async addTests(files: readonly string[], spot = this.spotForTests()): Promise<boolean> {
        if (spot === undefined || files.length === 0) return false;
        const items = files.map((file) => ({ kind: 'test' as const, file }));
        const what = files.length === 1 ? `test ${files[0] ?? ''}` : `${files.length} tests`;
        return this.#insert(`Add ${what}`, spot, items);
    }

    async addSuite(name: string): Promise<boolean> {
        const at = this.chosen[0];
        // Beside the chosen suite; in the project where none is chosen, or in the suite of the chosen test.
        const way = at === undefined ? [] : at.kind === 'test' ? at.way.slice(0, -1) : at.way;
        const spot =
            way.length === 0
                ? { parent: [], before: this.count([]) }
                : { parent: way.slice(0, -1), before: (way.at(-1) ?? 0) + 1 };
        return this.#insert(`Add suite ${name}`, spot, [{ kind: 'suite', name }]);
    }

    async #insert(
        name: string,
        { parent, before }: Spot,
        items: Extract<Change, { change: 'insert' }>['items'],
    ): Promise<boolean> {
        const change: Change = { change: 'insert', parent: [...parent], before, items };
        return this.#moved(name, change, (came) => ({ gone: [], came, same: false }));
    }

    /** Where added tests go: behind the chosen test, or at the end of the chosen suite, or of the last one there is. */
    spotForTests(): Spot | undefined {
        const at = this.chosen.at(-1);
        if (at?.kind === 'test') return { parent: at.way.slice(0, -1), before: (at.way.at(-1) ?? 0) + 1 };
        const suite =
            at?.kind === 'suite'
                ? at
                : this.draft.items.findLast(({ kind, depth }) => kind === 'suite' && depth === 1);
        return suite && { parent: suite.way, before: this.count(suite.way) };
    }

    async remove(items = this.tops): Promise<boolean> {
        if (items.length === 0) return false;
        const gone = items.map(({ way }) => [...way]);
        const next = this.#besides(items);
        const name = `Remove ${of(items)}`;
        const change: Change = { change: 'remove', items: gone };
        const done = await this.draft.change(name, [change], () => ({ gone, came: [], same: false }));
        if (done === undefined) return false;
        this.choose(next === undefined ? [] : this.draft.items.filter(({ key }) => key === next));
        return this.#say(`${sentence(name)}: done.`);
    }

    /** The key of what has the focus when these are gone. */
    #besides(items: readonly Item[]): string | undefined {
        const ways = items.map(({ way }) => way);
        const stays = (item: Item) => !ways.some((way) => isWithin(item.way, way));
        const first = this.draft.items.findIndex(({ key }) => key === items[0]?.key);
        const after = this.draft.items.slice(first).find(stays);
        return (after ?? this.draft.items.slice(0, first).findLast(stays))?.key;
    }

    async move(spot: Spot, items: readonly Way[] = this.tops.map(({ way }) => way)): Promise<boolean> {
        const tops = outermost(items);
        if (tops.length === 0 || !this.may(spot, tops)) return false;
        const gone = tops.map((way) => [...way]);
        const change: Change = { change: 'move', items: gone, parent: [...spot.parent], before: spot.before };
        const what = of(this.#itemsAt(tops));
        return this.#moved(`Move ${what} to ${this.#place(spot)}`, change, (came) => ({
            gone,
            came,
            same: true,
        }));
    }

    async copy(spot: Spot, items: readonly Way[] = this.tops.map(({ way }) => way)): Promise<boolean> {
        const tops = outermost(items);
        if (tops.length === 0 || !this.may(spot, tops, true)) return false;
        const change: Change = {
            change: 'copy',
            items: tops.map((way) => [...way]),
            parent: [...spot.parent],
            before: spot.before,
            salt: unique(),
        };
        const name = `Copy ${of(this.#itemsAt(tops))} to ${this.#place(spot)}`;
        return this.#moved(name, change, (came) => ({ gone: [], came, same: false }));
    }

    async #moved(name: string, change: Change, moved: (about: Way[]) => Moved): Promise<boolean> {
        const about = await this.draft.change(name, [change], moved);
        if (about === undefined) return false;
        this.choose(this.#itemsAt(about));
        return this.#say(`${sentence(name)}: done.`);
    }

    /** Whether these may stand there: suites in the project or in suites, tests in suites, nothing in itself. */
    may({ parent }: Pick<Spot, 'parent'>, items: readonly Way[], asCopies = false): boolean {
        const holder = this.draft.at(parent);
        if (holder === undefined || holder.kind === 'test') return false;
        if (!asCopies && items.some((way) => isWithin(parent, way))) return false;
        return holder.kind === 'suite' || this.#itemsAt(items).every(({ kind }) => kind === 'suite');
    }

    /** One place up or down; at the edge of a suite a test goes to the one beside it. */
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
        if (beside === undefined || holder?.kind !== 'suite') {
            this.#say(by < 0 ? 'It is the first here.' : 'It is the last here.');
            return false;
        }
        return this.move({ parent: beside, before: by < 0 ? this.count(beside) : 0 });
    }

    /** Out of the suite it is in, or into the suite before it. */
    async shiftDepth(by: 1 | -1): Promise<boolean> {
        const first = this.tops[0];
        if (first === undefined) return false;
        const [parent, nth] = [first.way.slice(0, -1), first.way.at(-1) ?? 0];
        const before = [...parent, nth - 1];
        const spot =
            by < 0
                ? { parent: parent.slice(0, -1), before: (parent.at(-1) ?? -1) + 1 }
                : { parent: before, before: this.count(before) };
        const fits = by < 0 ? parent.length > 0 : this.draft.at(before)?.kind === 'suite';
        if (
            fits &&
            this.may(
                spot,
                this.tops.map(({ way }) => way),
            )
        )
            return this.move(spot);
        this.#say(by < 0 ? 'It can stand nowhere further out.' : 'There is no suite before it.');
        return false;
    }

    cut(isCut: boolean): void {
        if (this.tops.length === 0) return;
        this.clip = { keys: new Set(this.tops.map(({ key }) => key)), isCut };
        this.#say(`${isCut ? 'Cut' : 'Copied'} ${of(this.tops)}: go where it shall be, and paste.`);
    }

    async paste(): Promise<boolean> {
        const clip = this.clip;
        const at = this.chosen.at(-1);
        if (clip === undefined || at === undefined) return false;
        const items = this.draft.items.filter(({ key }) => clip.keys.has(key)).map(({ way }) => way);
        const spot =
            at.kind === 'test'
                ? { parent: at.way.slice(0, -1), before: (at.way.at(-1) ?? 0) + 1 }
                : { parent: at.way, before: this.count(at.way) };
        if (!this.may(spot, items, !clip.isCut)) {
            this.#say('It cannot stand there: suites stand in the project or in suites, tests in suites.');
            deeds.tell(this.said);
            return false;
        }
        if (!clip.isCut) return this.copy(spot, items);
        this.clip = undefined;
        return this.move(spot, items);
    }

    /** How many items an item holds. */
    count(way: Way): number {
        return this.draft.items.filter(
            (item) => item.way.length === way.length + 1 && isWithin(item.way, way),
        ).length;
    }

    #itemsAt(ways: readonly Way[]): Item[] {
        const wanted = new Set(ways.map(written));
        return this.draft.items.filter(({ way }) => wanted.has(written(way)));
    }

    #place({ parent }: Spot): string {
        const holder = this.draft.at(parent);
        return holder === undefined || holder.kind === 'project' ? 'the project' : `suite ${holder.name}`;
    }

    #say(text: string): true {
        // The same words again are news to who listens.
        this.said = this.said === text ? `${text} ` : text;
        return true;
    }
}

/** The values of a property, in their order. */
export function pairsOf({ pairs }: Pick<Item, 'pairs'>, name: string): string[] {
    return pairs.filter((pair) => pair.name === name).map(({ value }) => value);
}

/** Whether a property says yes; where it says nothing, what is usual. */
export function isSet(item: Pick<Item, 'pairs'>, name: string, usual = false): boolean {
    const said = pairsOf(item, name).at(-1);
    return said === undefined || said === '' ? usual : isTrue(said);
}

/** A text that nobody else has: also where a page is not served by HTTPS, and has no `randomUUID`. */
export function unique(): string {
    const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// What a person does with a file of named values, beside arranging them: names, values, types, descriptions.

import type { Schemas } from '../../api/client';
import { Arranging } from '../../editing/arranging.svelte';
import type { ValueChange, ValueItem, ValuesDraft } from '../../state/drafts.svelte';
import { session, type Role } from '../../state/session.svelte';
import type { Spot, Way } from '../../state/ways';
import { sentence } from '../../text/words';

export type ValueType = Schemas['ValueType'];

/** The kinds of values, with what they mean. */
export const TYPES: readonly { type: ValueType; name: string; help: string }[] = [
    { type: 'string', name: 'text', help: 'as it stands' },
    { type: 'decimal', name: 'number', help: 'tests read it as its text' },
    {
        type: 'iterator',
        name: 'iterator',
        help: 'a copy of the test for each value: 3, 1..3 – the first is the default',
    },
];

export class ValuesEditor extends Arranging<Schemas['ValueItem'], ValueChange> {
    readonly holder = 'folder';
    protected readonly rule = 'It cannot stand there: folders and values stand in the file or in folders.';

    constructor(
        draft: ValuesDraft,
        readonly role: Role,
    ) {
        super(draft);
    }

    get mayEdit(): boolean {
        return session.may(this.role);
    }

    of(items: readonly ValueItem[]): string {
        const [first] = items;
        if (first === undefined) return 'nothing';
        if (items.length === 1) return first.kind === 'file' ? 'the file' : `${first.kind} ${first.name}`;
        return items.every(({ kind }) => kind === first.kind)
            ? `${items.length} ${first.kind}s`
            : `${items.length} items`;
    }

    place(holder: ValueItem | undefined): string {
        return holder === undefined || holder.kind === 'file' ? 'the file' : `folder ${holder.name}`;
    }

    holds({ kind }: ValueItem): boolean {
        return kind !== 'value';
    }

    protected takes(): boolean {
        return true;
    }

    protected removing(items: Way[]): ValueChange {
        return { change: 'remove', items: items.map((way) => [...way]) };
    }

    protected moving(items: Way[], { parent, before }: Spot): ValueChange {
        return { change: 'move', items: items.map((way) => [...way]), parent: [...parent], before };
    }

    protected copying(items: Way[], { parent, before }: Spot): ValueChange {
        return { change: 'copy', items: items.map((way) => [...way]), parent: [...parent], before };
    }

    rename(item: ValueItem, name: string): Promise<boolean> {
        if (name === item.name) return Promise.resolve(true);
        return this.#set(`Rename of ${this.of([item])}`, { change: 'name', at: [...item.way], name });
    }

    setValue(item: ValueItem, value: string): Promise<boolean> {
        if (value === item.value) return Promise.resolve(true);
        return this.#set(`Set ${item.name}`, { change: 'value', at: [...item.way], value });
    }

    setType(item: ValueItem, type: ValueType): Promise<boolean> {
        if (type === item.type) return Promise.resolve(true);
        return this.#set(`Set the type of ${item.name}`, { change: 'type', at: [...item.way], type });
    }

    describe(item: ValueItem, description: string): Promise<boolean> {
        if (description === item.description) return Promise.resolve(true);
        const change: ValueChange = { change: 'description', at: [...item.way], description };
        return this.#set(`Describe ${this.of([item])}`, change);
    }

    async #set(name: string, change: ValueChange): Promise<boolean> {
        return (
            (await this.draft.change(name, [change])) !== undefined && this.say(`${sentence(name)}: done.`)
        );
    }

    /** A new folder or value where the focus is: in the chosen folder, or behind the chosen value. */
    async add(kind: 'folder' | 'value', type: ValueType = 'string'): Promise<boolean> {
        const at = this.chosen.at(-1);
        const spot: Spot = at === undefined ? { parent: [], before: this.count([]) } : this.spotAt(at);
        const name = this.#free(spot.parent, kind === 'folder' ? 'new_folder' : 'new_value');
        const item =
            kind === 'folder'
                ? { kind, name }
                : { kind, name, value: type === 'iterator' ? '1..3' : '', type };
        const change: ValueChange = {
            change: 'insert',
            parent: [...spot.parent],
            before: spot.before,
            items: [item],
        };
        return this.moved(`Add ${kind} ${name}`, change, (came) => ({ gone: [], came, same: false }));
    }

    /** A name that nothing in this folder has. */
    #free(parent: Way, wanted: string): string {
        const inside = this.draft.items.filter(
            ({ way }) => way.length === parent.length + 1 && parent.every((step, at) => way[at] === step),
        );
        const taken = new Set(inside.map(({ name }) => name));
        let name = wanted;
        for (let number = 2; taken.has(name); number++) name = `${wanted}_${number}`;
        return name;
    }

    /** How a test asks for it: `Level_A/global1`. */
    path({ way }: Pick<ValueItem, 'way'>): string {
        return way.map((_, depth) => this.draft.at(way.slice(0, depth + 1))?.name ?? '').join('/');
    }
}

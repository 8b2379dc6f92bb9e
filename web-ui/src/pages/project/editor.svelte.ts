// What a person does in the editor of a project, beside arranging its items: sets fields and properties, picks dependencies and test
// configurations, adds suites and tests.

import type { Schemas } from '../../api/client';
import { Arranging, unique } from '../../editing/arranging.svelte';
import type { Change, Item } from '../../state/drafts.svelte';
import { session } from '../../state/session.svelte';
import { around, written, type Spot, type Way } from '../../state/ways';
import { sentence } from '../../text/words';
import { isTrue, labelOf, of } from './words';

/** What becomes of a test configuration of an item. */
type ConfigChange = Extract<
    Change,
    { change: 'add_config' | 'remove_config' | 'order_config' | 'set_config' }
>;
/** The same, without the way to the item. */
export type ConfigAct = ConfigChange extends infer Each
    ? Each extends ConfigChange
        ? Omit<Each, 'at'>
        : never
    : never;

export class Editor extends Arranging<Schemas['ProjectItem'], Change> {
    /** Files are dragged now. */
    files = $state.raw<readonly string[]>([]);

    readonly holder = 'suite';
    protected readonly rule =
        'It cannot stand there: suites stand in the project or in suites, tests in suites.';

    get mayEdit(): boolean {
        return session.may('CHANGE_PROJECT');
    }

    of(items: readonly Item[]): string {
        return of(items);
    }

    place(holder: Item | undefined): string {
        return holder === undefined || holder.kind === 'project' ? 'the project' : `suite ${holder.name}`;
    }

    holds({ kind }: Item): boolean {
        return kind !== 'test';
    }

    protected takes(holder: Item, items: readonly Item[]): boolean {
        return holder.kind === 'suite' || items.every(({ kind }) => kind === 'suite');
    }

    protected removing(items: Way[]): Change {
        return { change: 'remove', items: waysOf(items) };
    }

    protected moving(items: Way[], { parent, before }: Spot): Change {
        return { change: 'move', items: waysOf(items), parent: [...parent], before };
    }

    protected copying(items: Way[], { parent, before }: Spot): Change {
        return { change: 'copy', items: waysOf(items), parent: [...parent], before, salt: unique() };
    }

    /** Another text for a field of these items. */
    set(items: readonly Item[], field: string, value: string): Promise<boolean> {
        const changes = items
            .filter((item) => (item.fields[field] ?? '') !== value)
            .map((item): Change => ({ change: 'set', at: [...item.way], field, value }));
        const name = field === 'tsName' || field === 'tcName' ? 'Rename' : `Set ${labelOf(field)}`;
        return this.#value(`${name} of ${this.of(items)}`, changes);
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
        return this.#value(`${verb} ${labelOf(name)} of ${this.of(items)}`, changes);
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
        return this.#value(`Set the dependency of ${this.of([item])}`, changes);
    }

    async #value(name: string, changes: Change[]): Promise<boolean> {
        if (changes.length === 0) return true;
        return (await this.draft.change(name, changes)) !== undefined && this.say(`${sentence(name)}: done.`);
    }

    async addTests(files: readonly string[], spot = this.spotForTests()): Promise<boolean> {
        if (spot === undefined || files.length === 0) return false;
        const items = files.map((file) => ({ kind: 'test' as const, file }));
        const what = files.length === 1 ? `test ${files[0] ?? ''}` : `${files.length} tests`;
        return this.#insert(`Add ${what}`, spot, items);
    }

    async addSuite(name: string): Promise<boolean> {
        return this.#insert(`Add suite ${name}`, this.#spotForSuites(), [{ kind: 'suite', name }]);
    }

    /** Puts what a file of predefined suites holds beside the chosen suite. */
    addPredefined(name: string): Promise<boolean> {
        const { parent, before } = this.#spotForSuites();
        const change: Change = { change: 'suite', name, parent: [...parent], before, salt: unique() };
        const moved = (came: Way[]) => ({ gone: [], came, same: false });
        return this.moved(`Add predefined suite ${name}`, change, moved);
    }

    /** Beside the chosen suite; in the project where none is chosen, or in the suite of the chosen test. */
    #spotForSuites(): Spot {
        const at = this.chosen[0];
        const way = at === undefined ? [] : at.kind === 'test' ? at.way.slice(0, -1) : at.way;
        return way.length === 0
            ? { parent: [], before: this.count([]) }
            : { parent: way.slice(0, -1), before: (way.at(-1) ?? 0) + 1 };
    }

    /** The suites that are chosen, without what is inside of another. */
    get suitesChosen(): readonly Item[] {
        return this.tops.filter(({ kind }) => kind === 'suite');
    }

    /** The tests that are chosen, or that are in what is chosen; all of them for the project. */
    testsIn(items: readonly Item[]): Item[] {
        const tops = new Set(items.map(({ way }) => written(way)));
        return this.draft.items.filter(
            ({ kind, way }) => kind === 'test' && [...around(way), way].some((top) => tops.has(written(top))),
        );
    }

    /** Puts tests into runs, or takes them out. */
    run(tests: readonly Item[], isIn: boolean): Promise<boolean> {
        const turned = tests.filter((test) => isSet(test, 'Running', true) !== isIn);
        return this.setPair(turned, 'Running', String(isIn));
    }

    /** Puts these into runs, and takes all others out. */
    runOnly(tests: readonly Item[]): Promise<boolean> {
        const wanted = new Set(tests.map(({ key }) => key));
        const changes = this.testsIn(this.draft.items.slice(0, 1)).flatMap((test): Change[] => {
            const isIn = wanted.has(test.key);
            if (isSet(test, 'Running', true) === isIn) return [];
            const value = String(isIn);
            return [{ change: 'property', at: [...test.way], name: 'Running', nth: 0, value }];
        });
        return this.#value(`Run only ${this.of(tests)}`, changes);
    }

    async #insert(
        name: string,
        { parent, before }: Spot,
        items: Extract<Change, { change: 'insert' }>['items'],
    ): Promise<boolean> {
        const change: Change = { change: 'insert', parent: [...parent], before, items };
        return this.moved(name, change, (came) => ({ gone: [], came, same: false }));
    }

    /** Where added tests go: behind the chosen test, or at the end of the chosen suite, or of the last one there is. */
    spotForTests(): Spot | undefined {
        const at = this.chosen.at(-1);
        const to =
            at !== undefined && at.kind !== 'project'
                ? at
                : this.draft.items.findLast(({ kind, depth }) => kind === 'suite' && depth === 1);
        return to && this.spotAt(to);
    }

    /** Changes the test configurations of items: the same one of each, by its name. */
    configure(
        name: string,
        items: readonly Item[],
        act: (item: Item) => ConfigAct | undefined,
    ): Promise<boolean> {
        const changes = items.flatMap((item): Change[] => {
            const what = act(item);
            return what === undefined ? [] : [{ ...what, at: [...item.way] }];
        });
        return this.#value(`${name} of ${this.of(items)}`, changes);
    }
}

const waysOf = (ways: readonly Way[]): number[][] => ways.map((way) => [...way]);

/** The values of a property, in their order. */
export function pairsOf({ pairs }: Pick<Item, 'pairs'>, name: string): string[] {
    return pairs.filter((pair) => pair.name === name).map(({ value }) => value);
}

/** Whether a property says yes; where it says nothing, what is usual. */
export function isSet(item: Pick<Item, 'pairs'>, name: string, usual = false): boolean {
    const said = pairsOf(item, name).at(-1);
    return said === undefined || said === '' ? usual : isTrue(said);
}

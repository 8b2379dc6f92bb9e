// The columns of the table of a project: what can be changed in place, and of which items. Pure.

import type { Item } from '../../state/drafts.svelte';
import { sentence } from '../../text/words';
import { FIELDS, isTrue, OWN_PAIRS, type Field } from './words';

/** What is said of an item under one name: a field, or a property or user-defined value of a person's own. */
export type Cell = {
    readonly id: string;
    readonly title: string;
    readonly width: string;
    /** Which items have it. */
    readonly kinds: readonly Item['kind'][];
    readonly field: Field;
};

/** Those that have columns, in their order; others are changed in the pane of the tree. */
const NAMED: readonly [string, string][] = [
    ['Running', '100px'],
    ['Runnable', '88px'],
    ['Optional', '84px'],
    ['Prerequisite', '112px'],
    ['setup_file', '68px'],
    ['teardown_file', '96px'],
    ['Repeat', '72px'],
    ['Timeout', '96px'],
    ['SutName', '144px'],
    ['EpId', '112px'],
    ['param', '144px'],
];

/** What is shown where nothing was chosen. */
const USUAL: readonly string[] = [
    'Running',
    'Optional',
    'Prerequisite',
    'setup_file',
    'teardown_file',
    'Repeat',
    'Timeout',
    'SutName',
];

/** All columns of a project: the named ones, then what its suites and tests define themselves. */
export function cellsOf(items: readonly Pick<Item, 'kind' | 'pairs'>[]): Cell[] {
    const named = NAMED.flatMap(([name, width]): Cell[] => {
        const kinds = (['suite', 'test'] as const).filter((kind) =>
            FIELDS[kind].some((field) => field.name === name),
        );
        const field = kinds.flatMap((kind) => FIELDS[kind]).find((field) => field.name === name);
        return field === undefined ? [] : [{ id: name, title: sentence(field.label), width, kinds, field }];
    });
    const own = new Map<string, Set<Item['kind']>>();
    for (const { kind, pairs } of items) {
        if (kind === 'project') continue;
        for (const { name } of pairs) {
            if (kind === 'test' && OWN_PAIRS.has(name)) continue;
            own.set(name, (own.get(name) ?? new Set()).add(kind));
        }
    }
    const defined = [...own].map(([name, kinds]): Cell => ({
        id: `=${name}`,
        title: name,
        width: '128px',
        kinds: [...kinds],
        field: { name, label: name, kind: 'text', help: '', isPair: true },
    }));
    return [...named, ...defined];
}

/** Which columns are shown: as the address says, or the usual ones and all that the project defines. */
export function chosenCells(all: readonly Cell[], asked: string | undefined): Cell[] {
    const wanted = asked?.split(',');
    return all.filter(({ id }) =>
        wanted === undefined ? USUAL.includes(id) || id.startsWith('=') : wanted.includes(id),
    );
}

/** What an item says in a column. */
export function said(item: Pick<Item, 'fields' | 'pairs'>, { field }: Cell): string {
    if (field.isPair !== true) return item.fields[field.name] ?? '';
    return item.pairs
        .filter(({ name }) => name === field.name)
        .map(({ value }) => value)
        .join(', ');
}

/** Whether it says yes, or nothing and yes is the usual. */
export const isOn = (item: Pick<Item, 'fields' | 'pairs'>, cell: Cell): boolean =>
    isTrue(said(item, cell) || cell.field.usual || 'false');

/** Whether it is given several times: such are changed in the text. */
export const isSeveral = (item: Pick<Item, 'pairs'>, { field }: Cell): boolean =>
    field.isPair === true && item.pairs.filter(({ name }) => name === field.name).length > 1;

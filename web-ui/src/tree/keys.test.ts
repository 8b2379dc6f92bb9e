import { expect, it } from 'vitest';

import { deed, Typing, TYPING_MILLIS } from './keys';
import { FlatTree } from './tree';

interface Node {
    name: string;
    children: Node[];
}

function node(name: string, ...children: Node[]): Node {
    return { name, children };
}

const lab = FlatTree.of(
    [node('tb1', node('r1', node('p1')), node('r2', node('p2'))), node('tb2'), node('rack')],
    { id: (item: Node) => item.name, children: (item) => item.children },
);
const rows = lab.rows(new Set(['tb1']));
const at = (name: string): number => rows.findIndex((row) => row.entry.id === name);
const press = (key: string, name: string) => deed(key, { rows, at: at(name), page: 2 });
const to = (name: string) => ({ kind: 'go', to: at(name) });

it('walks', () => {
    expect(press('ArrowDown', 'tb1')).toEqual(to('r1'));
    expect(press('j', 'tb1')).toEqual(to('r1'));
    expect(press('ArrowDown', 'rack'), 'stays at the end').toEqual(to('rack'));
    expect(press('ArrowUp', 'tb1'), 'stays at the beginning').toEqual(to('tb1'));
    expect(press('End', 'tb1')).toEqual(to('rack'));
    expect(press('Home', 'tb2')).toEqual(to('tb1'));
    expect(press('PageDown', 'tb1')).toEqual(to('r2'));
    expect(press('PageUp', 'r1')).toEqual(to('tb1'));
});

it('opens, closes, and goes in and out', () => {
    expect(press('ArrowRight', 'r1')).toEqual({ kind: 'open', ids: ['r1'] });
    expect(press('ArrowRight', 'tb1'), 'an open one is entered').toEqual(to('r1'));
    expect(press('ArrowRight', 'tb2'), 'a leaf has nothing inside').toBeUndefined();
    expect(press('ArrowLeft', 'tb1')).toEqual({ kind: 'close', ids: ['tb1'] });
    expect(press('ArrowLeft', 'r2'), 'a closed one leads out').toEqual(to('tb1'));
    expect(press('*', 'r2')).toEqual({ kind: 'open', ids: ['r1', 'r2'] });
    expect(press('Enter', 'r2')).toEqual({ kind: 'choose', id: 'r2' });
    expect(press('x', 'r2')).toBeUndefined();
});

it('begins at the first row, and does nothing in an empty tree', () => {
    expect(deed('ArrowDown', { rows, at: -1, page: 2 })).toEqual({ kind: 'go', to: 0 });
    expect(deed('ArrowDown', { rows: [], at: -1, page: 2 })).toBeUndefined();
    expect(deed('r', { rows, at: -1, page: 2 }), 'a letter finds').toBeUndefined();
});

it('finds what is typed', () => {
    const names = rows.map((row) => row.entry.id);
    const typing = new Typing();
    expect(typing.find('r', 0, names, at('tb1'))).toBe(at('r1'));
    expect(typing.find('a', 100, names, at('r1')), 'ra').toBe(at('rack'));
    const later = 100 + TYPING_MILLIS + 1;
    expect(typing.isOn(later)).toBe(false);
    expect(typing.find('R', later, names, at('rack')), 'a new word, round the end').toBe(at('r1'));
    expect(typing.find('r', later + 100, names, at('r1')), 'the same letter walks').toBe(at('r2'));
    expect(typing.find('r', later + 200, names, at('r2'))).toBe(at('rack'));
    expect(typing.find('z', later + 9_000, names, at('r1'))).toBeUndefined();
});

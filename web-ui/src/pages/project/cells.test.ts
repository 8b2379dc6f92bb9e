import { expect, test } from 'vitest';

import { cellsOf, chosenCells, isOn, isSeveral, said } from './cells';

const pair = (name: string, value: string) => ({ name, value });
const suite = { kind: 'suite' as const, fields: { Repeat: '2' }, pairs: [pair('owner', 'ana')] };
const one = {
    kind: 'test' as const,
    fields: {},
    pairs: [pair('Optional', 'TRUE'), pair('param', 'a'), pair('param', 'b'), pair('level', '3')],
};

test('a project has the named columns and those that it defines itself', () => {
    const all = cellsOf([suite, one]);
    expect(all.map(({ id }) => id).slice(-3)).toEqual(['param', '=owner', '=level']);
    expect(all.find(({ id }) => id === 'Repeat')?.kinds).toEqual(['suite', 'test']);
    expect(all.find(({ id }) => id === 'SutName')?.kinds).toEqual(['suite']);
    expect(chosenCells(all, undefined).map(({ id }) => id)).toContain('=owner');
    expect(chosenCells(all, 'Repeat,=level').map(({ id }) => id)).toEqual(['Repeat', '=level']);
});

test('what an item says, and what is the usual where it says nothing', () => {
    const cell = (id: string) => {
        const found = cellsOf([suite, one]).find((each) => each.id === id);
        if (found === undefined) throw new Error(id);
        return found;
    };
    expect(said(suite, cell('Repeat'))).toBe('2');
    expect(said(one, cell('param'))).toBe('a, b');
    expect([isSeveral(one, cell('param')), isSeveral(one, cell('Optional'))]).toEqual([true, false]);
    expect([isOn(one, cell('Optional')), isOn(one, cell('Running')), isOn(one, cell('setup_file'))]).toEqual([
        true,
        true,
        false,
    ]);
});

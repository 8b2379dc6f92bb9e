import { expect, it } from 'vitest';

import { chosen, clicked, csv, matching, readSort, sorted, writeSort, type Column } from './columns';

interface Test {
    name: string;
    took: number;
}

const columns: Column<Test>[] = [
    { id: 'name', title: 'Name', width: '1fr', text: ({ name }) => name },
    { id: 'took', title: 'Took', width: '80px', text: ({ took }) => `${took} s`, order: ({ took }) => took },
];
const rows: Test[] = [
    { name: 'port10', took: 9 },
    { name: 'port9', took: 100 },
    { name: 'Port1', took: 9 },
];
const names = (of: readonly Test[]): string[] => of.map(({ name }) => name);

it('sorts as people count, by several columns, and leaves alike rows as they came', () => {
    const by = (text: string): string[] => names(sorted(rows, columns, readSort(text, columns)));
    expect(by('name')).toEqual(['Port1', 'port9', 'port10']);
    expect(by('-name')).toEqual(['port10', 'port9', 'Port1']);
    expect(by('took')).toEqual(['port10', 'Port1', 'port9']);
    expect(by('took,name')).toEqual(['Port1', 'port10', 'port9']);
    expect(by('nobody')).toEqual(names(rows));
});

it('keeps the order in the address', () => {
    expect(writeSort(readSort('name,-took,name,x', columns))).toBe('name,-took');
    expect(readSort(undefined, columns)).toEqual([]);
    expect(writeSort([])).toBeUndefined();
});

it('turns a heading up, down and off', () => {
    const once = clicked([], 'took', false);
    const twice = clicked(once, 'took', false);
    expect([once, twice, clicked(twice, 'took', false)].map(writeSort)).toEqual(['took', '-took', undefined]);
    const also = clicked(once, 'name', true);
    expect([also, clicked(also, 'took', true)].map(writeSort)).toEqual(['took,name', '-took,name']);
    expect(writeSort(clicked(also, 'name', false))).toBe('-name');
});

it('finds rows by words in any column', () => {
    expect(names(matching(rows, columns, 'PORT 9'))).toEqual(['port10', 'port9', 'Port1']);
    expect(names(matching(rows, columns, '100 s'))).toEqual(['port9']);
    expect(matching(rows, columns, '  ')).toBe(rows);
});

it('writes files that no spreadsheet runs', () => {
    const hostile: Test[] = [
        { name: '=HYPERLINK("http://x")', took: -3 },
        { name: 'a,b\n"c"', took: 1 },
    ];
    const plain: Column<Test>[] = [
        { id: 'name', title: 'Name', width: '1fr', text: ({ name }) => name },
        { id: 'took', title: 'Took', width: '1fr', text: ({ took }) => String(took) },
    ];
    expect(csv(hostile, plain)).toBe('Name,Took\r\n"\'=HYPERLINK(""http://x"")",-3\r\n"a,b\n""c""",1\r\n');
});

it('chooses one, one more, and ranges', () => {
    const ids = ['a', 'b', 'c', 'd'];
    const pick = (now: string[], id: string, how: Partial<Parameters<typeof chosen>[3]>): string[] => [
        ...chosen(new Set(now), ids, id, { anchor: undefined, range: false, also: false, ...how }),
    ];
    expect(pick(['a'], 'c', {})).toEqual(['c']);
    expect(pick(['a'], 'c', { also: true })).toEqual(['a', 'c']);
    expect(pick(['a', 'c'], 'c', { also: true })).toEqual(['a']);
    expect(pick(['d'], 'd', { range: true, anchor: 'b' })).toEqual(['b', 'c', 'd']);
    expect(pick(['d'], 'a', { range: true, anchor: 'b', also: true })).toEqual(['d', 'a', 'b']);
    expect(pick([], 'b', { range: true })).toEqual(['b']);
});

it('sorts a hundred thousand rows within a moment', () => {
    const many = Array.from({ length: 100_000 }, (_, nth) => ({
        name: `t${(nth * 7_919) % 100_000}`,
        took: nth % 977,
    }));
    const begun = performance.now();
    sorted(many, columns, readSort('-took,name', columns));
    expect(performance.now() - begun).toBeLessThan(5_000);
});

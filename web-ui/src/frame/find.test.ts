import { expect, test } from 'vitest';

import { find, type Entry } from './find';

const entry = (name: string, kind: Entry['kind'] = 'Go', more = ''): Entry => ({
    id: name,
    name,
    kind,
    more,
    act: () => {},
});
const ENTRIES = [
    entry('Runs'),
    entry('Pause run 41', 'Do'),
    entry('41 night.xml', 'Run', 'ana failed'),
    entry('EP-1041', 'EP'),
    entry('/tb1/router', 'Resource'),
];

const names = (typed: string, recent: string[] = []) =>
    find(ENTRIES, typed, recent, 3).map(({ name }) => name);

test('what begins with what is typed comes first', () => {
    expect(names('41')).toEqual(['41 night.xml', 'Pause run 41', 'EP-1041']);
    expect(names('run')).toEqual(['Runs', 'Pause run 41', '41 night.xml']);
});

test('every word has to fit, in any order, in any case', () => {
    expect(names('ANA night')).toEqual(['41 night.xml']);
    expect(names('ana day')).toEqual([]);
    expect(names('router')).toEqual(['/tb1/router']);
});

test('without a word the recent ones come first', () => {
    expect(names('', ['/tb1/router', 'EP-1041'])).toEqual(['/tb1/router', 'EP-1041', 'Runs']);
});

test('of ten thousand entries the first fifty are found', () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
        entry(`test_${index}.py`, 'Test', 'Router / Ports'),
    );
    expect(find(many, 'port 77', [], 50).length).toBe(50);
});

import { expect, test } from 'vitest';

import { changesOf, fieldsOf, typed, valueIn } from './properties';

test('every value is typed as it can be read again', () => {
    for (const value of [
        'router',
        '4',
        'true',
        'null',
        '',
        '"x"',
        4,
        1.5,
        true,
        null,
        [1, 'a'],
        { a: { b: '1' } },
        '007',
        '{',
    ])
        expect(valueIn(typed(value)), JSON.stringify(value)).toEqual(value);
    expect(typed('router')).toBe('router');
    expect(typed('4')).toBe('"4"');
    expect(typed(4)).toBe('4');
});

test('only what is different is sent', () => {
    const before = { kind: 'router', ports: 4, old: 'x', power: { a: 1 } };
    const fields = fieldsOf(before);
    expect(changesOf(before, fields)).toEqual({});
    const edited = fields
        .filter(({ name }) => name !== 'old')
        .map((field) => (field.name === 'ports' ? { ...field, text: '8' } : field));
    edited.push(
        { was: undefined, name: ' site ', text: 'cluj' },
        { was: undefined, name: '', text: 'y' },
        { was: undefined, name: 'n', text: '' },
    );
    expect(changesOf(before, edited)).toEqual({ ports: 8, old: null, site: 'cluj' });
});

test('a property that is called otherwise, or emptied, is gone', () => {
    const before = { kind: 'router' };
    expect(changesOf(before, [{ was: 'kind', name: 'type', text: 'router' }])).toEqual({
        kind: null,
        type: 'router',
    });
    expect(changesOf(before, [{ was: 'kind', name: 'kind', text: '' }])).toEqual({ kind: null });
    expect(changesOf(before, [{ was: 'kind', name: 'kind', text: '""' }])).toEqual({ kind: '' });
});

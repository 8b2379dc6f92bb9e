import { expect, test } from 'vitest';

import {
    askedOf,
    filtersOf,
    keptOf,
    nextSort,
    offsetOf,
    pageOf,
    partOf,
    sharedPartOf,
    valuesOf,
} from './asked';

test('what the address says is what the engine is asked', () => {
    const query = { 'f.Run Number': '7', 'f.Release': "' OR 1=1", sort: '-2', text: 'vlan', from: '300' };
    expect(valuesOf(query)).toEqual({ 'Run Number': '7', Release: "' OR 1=1" });
    expect(askedOf(query)).toEqual({
        'field.Run Number': '7',
        'field.Release': "' OR 1=1",
        sort: '-2',
        search: 'vlan',
    });
    expect(pageOf(query)).toMatchObject({ offset: '300', limit: '100' });
    expect(partOf('History (Pass/Fail)', 'rows', { sort: '1' })).toBe(
        '/api/v1/reports/History%20(Pass%2FFail)/rows?sort=1',
    );
});

test('an address that nobody of ours wrote begins at the first row', () => {
    for (const from of ['-1', 'x', '1.5', '']) expect(offsetOf({ from })).toBe(0);
});

test('a heading sorts up, down, and not at all', () => {
    expect([undefined, '2', '-2', '3'].map((sort) => nextSort(sort, 2))).toEqual(['2', '-2', undefined, '2']);
});

test('columns have filters of their own, and a view keeps all but the page', () => {
    const query = { 'c.3': 'FAIL', 'f.Run': '7', sort: '-2', from: '300', text: undefined };
    expect(filtersOf(query)).toEqual({ 3: 'FAIL' });
    expect(askedOf(query)).toEqual({ 'filter.3': 'FAIL', 'field.Run': '7', sort: '-2' });
    expect(keptOf(query)).toEqual({ 'c.3': 'FAIL', 'f.Run': '7', sort: '-2' });
    expect(sharedPartOf('jackfield_ab', 'export/csv', {})).toBe('/api/v1/shared/jackfield_ab/export/csv');
});

import { expect, test } from 'vitest';

import { dependenciesOf, reachable, writeDependencies } from './depends';

const item = (key: string, way: number[], fields: Record<string, string> = {}) => ({ key, way, fields });

test('a text of dependencies is read and written', () => {
    const text = 'a:pass; b c : not executed ;;urn:x:any';
    const read = dependenciesOf({ fields: { Dependency: text } });
    expect(read).toEqual([
        { id: 'a', status: 'pass' },
        { id: 'b c', status: 'not executed' },
        { id: 'urn:x', status: 'any' },
    ]);
    expect(writeDependencies(read)).toBe('a:pass;b c:not executed;urn:x:any');
    expect(dependenciesOf({ fields: {} })).toEqual([]);
});

test('who waits for an item, over however many others, is found', () => {
    const items = [
        item('project', []),
        item('s', [0], { ID: 'S' }),
        item('a', [0, 0], { ID: 'A' }),
        item('b', [0, 1], { ID: 'B', Dependency: 'A:pass' }),
        item('t', [1], { ID: 'T', Dependency: 'S:pass' }),
        item('c', [1, 0], { ID: 'C' }),
        item('d', [2], { ID: 'D', Dependency: 'C:any' }),
        item('e', [3], { ID: 'E' }),
    ];
    const waiting = (key: string) => {
        const of = items.find((each) => each.key === key);
        return [...reachable(items, of ?? item('', []))].sort().join(' ');
    };
    // b waits for a; t, with c in it, for the suite around a; d for c.
    expect(waiting('a')).toBe('b c d t');
    expect(waiting('c')).toBe('d');
    expect(waiting('e')).toBe('');
    // A circle that is there already ends the search all the same.
    const circle = [
        item('x', [0], { ID: 'X', Dependency: 'Y:any' }),
        item('y', [1], { ID: 'Y', Dependency: 'X:any' }),
    ];
    expect([...reachable(circle, circle[0] ?? item('', []))].sort()).toEqual(['x', 'y']);
});

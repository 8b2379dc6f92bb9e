import { expect, test } from 'vitest';

import { folded, type FileNode } from './files';

test('files stand in their folders, in the order people count', () => {
    const written = (nodes: readonly FileNode[]): string =>
        nodes
            .map(({ name, isFile, children }) => (isFile ? name : `${name}(${written(children)})`))
            .join(' ');
    expect(written(folded(['b.py', 'bgp/t10.py', 'bgp/t9.py', 'a/b/c.sh', 'a.py']))).toBe(
        'a(b(c.sh)) bgp(t9.py t10.py) a.py b.py',
    );
    expect(folded([])).toEqual([]);
});

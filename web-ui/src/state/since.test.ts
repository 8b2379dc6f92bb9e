import { expect, test } from 'vitest';

import type { Schemas } from '../api/client';
import { applied } from './since';

const item = (name: string, line: number): Schemas['ProjectItem'] => ({
    kind: 'test',
    depth: 1,
    name,
    line,
    fields: {},
    pairs: [],
    configs: [],
    attempts: 1,
});

test('what is different is put into what was answered before', () => {
    const last = {
        file: 'projects/p.xml',
        xml: 'one\n😀two\nthree\n',
        version: '1',
        about: [],
        items: [item('a', 1), item('b', 2), item('c', 3)],
        problems: [],
        good: true,
        answer: '7.1',
    };
    const next = applied(last, {
        version: '2',
        text: { at: 4, removed: 2, added: 'x\n' },
        items: { at: 1, removed: 1, added: [item('b', 2), item('new', 3)], lines: 1 },
        about: [[1]],
        problems: [],
        good: false,
        tests: 4,
        answer: '7.2',
    });
    expect(next.xml).toBe('one\nx\ntwo\nthree\n');
    expect((next.items ?? []).map(({ name, line }) => `${name} ${line}`)).toEqual([
        'a 1',
        'b 2',
        'new 3',
        'c 4',
    ]);
    expect([next.file, next.version, next.good, next.answer]).toEqual(['projects/p.xml', '2', false, '7.2']);
    expect(last.items).toHaveLength(3);
});

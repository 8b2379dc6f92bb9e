import { expect, test } from 'vitest';

import { done, spliceOf, undone } from './splice';

test('a splice leads there and back, exactly', () => {
    const texts = [
        '',
        'a',
        'aa',
        'aaa',
        'abcabc',
        'abc',
        'xabc',
        'abcx',
        '<a>é\u{1f600}</a>\r\n',
        '<a>é\u{1f601}</a>\r\n',
    ];
    for (const before of texts) {
        for (const after of texts) {
            const splice = spliceOf(before, after);
            expect(done(before, splice)).toBe(after);
            expect(undone(after, splice)).toBe(before);
        }
    }
    expect(spliceOf('abcdef', 'abXdef')).toEqual({ at: 2, removed: 'c', added: 'X' });
});

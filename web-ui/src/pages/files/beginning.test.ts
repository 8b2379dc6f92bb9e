import { expect, test } from 'vitest';

import { beginning } from './beginning';

test('a new file says of itself what pages show, in the comments of its language', () => {
    expect(beginning('switch/ping_all.py')).toBe(
        '# <title>ping all</title>\n# <description></description>\n\n',
    );
    expect(beginning('a.sh')).toMatch(/^#!\/bin\/sh\n# <title>a<\/title>/);
    expect(beginning('A.java')).toMatch(/^\/\/ <title>A</);
    expect(beginning('tool')).toBe('');
    expect(beginning('a/b.xml')).toBe('');
});

import { execFileSync } from 'node:child_process';

import { expect, it } from 'vitest';

import { shellWord } from './shell';

it('is one word to a shell, and nothing in it is done', () => {
    const texts = [
        '/lab/r1',
        '',
        'two words',
        "it's",
        '$(reboot)`x`',
        '"q" \\ $HOME',
        'a\nb',
        '*?[x]',
        '-n',
        'é漢',
    ];
    for (const text of texts) {
        const script = `printf '%s|' ${shellWord(text)} end`;
        expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }), text).toBe(`${text}|end|`);
    }
    expect(shellWord('/tb1/r1:ip')).toBe('/tb1/r1:ip');
});

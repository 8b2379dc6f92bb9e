import { expect, test } from 'vitest';

import { epCommands, propertiesOf, testText } from './tour';

test('what is left empty is not written', () => {
    const device = {
        name: 'r1',
        protocol: 'telnet' as const,
        host: ' 10.0.0.1 ',
        port: '',
        user: 'lab',
        password: ' ',
        profile: 'ios',
    };
    expect(propertiesOf(device)).toEqual({
        protocol: 'telnet',
        host: '10.0.0.1',
        user: 'lab',
        profile: 'ios',
    });
});

test('what people type stays a text in the files that are written', () => {
    expect(testText('/lab/r1', 'show "x" | include \\d')).toContain(
        'command = "show \\"x\\" | include \\\\d"\n',
    );
    expect(epCommands('http://h:8000', 'bench 1', 't')).toContain('name = "bench 1"\n');
});

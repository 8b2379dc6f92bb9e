import { expect, test } from 'vitest';

import { kindOf } from './artifact';

test('a file is known by its ending', () => {
    expect([
        kindOf('a.b/Screen.PNG'),
        kindOf('x.pcap'),
        kindOf('core'),
        kindOf('out.txt'),
        kindOf('y.pcapng'),
        kindOf('z.pcap.gz'),
        kindOf('z.tar.gz'),
    ]).toEqual(['picture', 'capture', 'other', 'text', 'capture', 'capture', 'other']);
});

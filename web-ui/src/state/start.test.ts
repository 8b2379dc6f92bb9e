import { expect, test } from 'vitest';

import { labelsOf } from './start.svelte';

test('labels are read as one writes them', () => {
    expect(labelsOf('site=cluj, rack=3  fast x=a=b')).toEqual({
        site: 'cluj',
        rack: '3',
        fast: '',
        x: 'a=b',
    });
    expect(labelsOf('  ')).toEqual({});
});

import { expect, test } from 'vitest';

import { componentsOf, epsOf } from './sut';

test('components are told depth first, each with its device', () => {
    const sut = {
        meta: { _id: 'not a component' },
        children: {
            gateway: { meta: { _id: 'de2' }, children: { wan: { meta: { _id: 'de3' } }, lan: { meta: {} } } },
            access: { meta: { _id: '' } },
        },
    };
    expect(componentsOf(sut)).toEqual([
        { path: 'gateway', id: 'de2' },
        { path: 'gateway/wan', id: 'de3' },
        { path: 'gateway/lan', id: undefined },
        { path: 'access', id: undefined },
    ]);
    expect(componentsOf({})).toEqual([]);
});

test('EPs are told by user, each once', () => {
    const meta = { _epnames_ana: 'EP-1; EP-2;EP-1;', _epnames_bob: ' ;', other: 'EP-9', _epnames_x: 7 };
    expect(epsOf({ meta })).toEqual([{ user: 'ana', names: ['EP-1', 'EP-2'] }]);
});

import { describe, expect, it } from 'vitest';

import type { Node, Use } from '../../state/bench.svelte';
import { grouped } from '../../state/group';
import { hasPower, isDevice, isSecret, kindOf, reachedBy, summary, told, usesOf, valueOf } from './device';

function node(meta: Record<string, unknown>): Node {
    return { id: '00', name: 'r1', path: '/lab/r1', meta, children: [] } as Node;
}

describe('properties', () => {
    it('hide what is secret, at any depth, until it is asked for', () => {
        for (const name of [
            'password',
            'Enable_Password',
            'api_key',
            'snmp_community',
            'passphrase',
            'enable',
            'token',
        ]) {
            expect(isSecret(name), name).toBe(true);
        }
        for (const name of ['host', 'port', 'user', 'keyboard', 'enabled', 'monkey'])
            expect(isSecret(name), name).toBe(false);
        expect(valueOf('password', 'hunter2', false)).toBe('••••••');
        expect(valueOf('password', 'hunter2', true)).toBe('hunter2');
        expect(valueOf('power', { kind: 'snmp', community: 'private' }, false)).not.toContain('private"');
        expect(valueOf('host', '<b>10.0.0.1</b>', false)).toBe('<b>10.0.0.1</b>');
        expect(valueOf('port', 22, false)).toBe('22');
    });

    it('tell what a device is', () => {
        const router = node({ connect: 'ssh', Host: '10.0.0.1', port: 22, profile: 'ios', power: {} });
        expect([kindOf(router), reachedBy(router), isDevice(router), hasPower(router)]).toEqual([
            'ios',
            'ssh 10.0.0.1:22',
            true,
            true,
        ]);
        const shelf = node({ room: 'B2' });
        expect([kindOf(shelf), reachedBy(shelf), isDevice(shelf), hasPower(shelf)]).toEqual([
            '',
            '',
            false,
            false,
        ]);
    });
});

it('says who uses a device and what hangs on it', () => {
    const uses: Use[] = [
        { resource: '/lab/r1', kind: 'session', user: 'ana', run: 41, name: 's', ep: 'EP-1' },
        { resource: '/lab/r1/card', kind: 'lease', user: 'ana', run: 41, name: 'core.system' },
        { resource: '/lab/r1', kind: 'types', user: 'bob', ep: 'EP-1' },
        { resource: '/lab/r1', kind: 'watches', user: 'cem' },
        { resource: '/lab/r1', kind: 'lease', user: 'eve' },
        { resource: '/lab/r10', kind: 'watches', user: 'dan' },
    ];
    const byPath = grouped(uses, ({ resource }) => resource);
    const found = usesOf('/lab/r1', byPath);
    expect(found.map(told)).toEqual([
        'run 41 (ana) has session s open',
        'bob types through EP-1',
        'cem watches',
        'eve has it',
        'run 41 (ana) has SUT core.system',
    ]);
    expect(summary(found)).toBe('eve has it, bob types, run 41, 1 watches');
    expect(summary([])).toBe('');
});

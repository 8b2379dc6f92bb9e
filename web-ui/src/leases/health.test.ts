import { expect, test } from 'vitest';

import { byPath, healthOf, type Health } from './health';

const of = (resource: string, health: Health['health']): Health => ({ id: resource, resource, health });

test('what is under a resource that is not fit goes with it, and the worst counts', () => {
    const known = byPath([
        of('/tb1', 'dirty'),
        of('/tb1/r1', 'out_of_service'),
        of('/tb2/r1', 'fit'),
        of('/tb1/r1', 'fit'),
    ]);
    expect(healthOf('/tb1', known)?.health).toBe('dirty');
    expect(healthOf('/tb1/r1/p1', known)?.health).toBe('out_of_service');
    expect(healthOf('/tb1/r2', known)?.health).toBe('dirty');
    expect(healthOf('/tb2/r1', known)?.health).toBe('fit');
    expect(healthOf('/tb2', known)).toBeUndefined();
    expect(healthOf('/tb10', known)).toBeUndefined();
});

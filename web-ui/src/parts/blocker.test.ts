import { expect, test } from 'vitest';

import type { Schemas } from '../api/client';
import { waitText } from './blocker';

const now = new Date(2026, 10, 30, 16, 0, 0).getTime();
const at = (hour: number, minute = 0) => new Date(2026, 10, 30, hour, minute).toISOString();

function text(wants: string | undefined, ...blockers: Schemas['Blocker'][]): string {
    const waits_for = wants ?? 'EP-9, which is not connected';
    return waitText({ what: 'S1', waits_for, ...(wants ? { wants } : {}), blockers }, now, 9);
}

test('who has it is told with what they do there, since when and until when', () => {
    expect(text(undefined)).toBe('waits for EP-9, which is not connected');
    const night = { run: 7, project: 'night', user: 'ana', since: at(14, 2) };
    expect(text('a free EP', { what: 'EP-1', how: 'holds', ...night })).toBe(
        'waits for a free EP: EP-1, which run 7 (night) of ana has since 14:02:00',
    );
    expect(
        text('/tb1/router1', {
            what: '/tb1/router1',
            how: 'holds',
            user: 'bob',
            lease: 4,
            until: at(17),
            reason: 'bug 12',
        }),
    ).toBe('waits for /tb1/router1, which bob has until 17:00:00 (lease 4: bug 12)');
    expect(text('SUT core', { what: 'SUT core', how: 'booked', user: 'bob', since: at(18), lease: 5 })).toBe(
        'waits for SUT core, which bob has booked from 18:00:00 (lease 5)',
    );
    expect(text('SUT core', { what: 'SUT core', how: 'asked_before', run: 8, user: 'eve' })).toBe(
        'waits for SUT core, which run 8 of eve asked for before',
    );
    expect(text('EP-1', { what: 'EP-1', how: 'holds', run: 9 }, { what: 'EP-1', how: 'holds', run: 7 })).toBe(
        'waits for EP-1, which this run itself has, and 1 more',
    );
});

// How fit resources are, as pages say it. Pure.

import type { Schemas } from '../api/client';
import { pathsTo } from './standing';
import type { Look } from '../parts/verdict';

export type Health = Schemas['ResourceHealth'];
export type HealthState = Schemas['HealthState'];

const LOOKS: Record<HealthState, Look> = {
    fit: { tone: 'pass', icon: 'check', word: 'fit' },
    dirty: { tone: 'warn', icon: 'question', word: 'dirty' },
    under_check: { tone: 'work', icon: 'play', word: 'under check' },
    out_of_service: { tone: 'fail', icon: 'ban', word: 'out of service' },
};

export const lookOfHealth = (health: HealthState): Look => LOOKS[health];

/** Every state, the worst first. */
export const STATES: readonly HealthState[] = ['out_of_service', 'dirty', 'under_check', 'fit'];

const worse = (one: Health, other: Health): number =>
    STATES.indexOf(one.health) - STATES.indexOf(other.health);

/** What is known of resources, by path; of one that is known twice, the worse. */
export function byPath(known: readonly Health[]): ReadonlyMap<string, Health> {
    return new Map(
        known.toSorted((one, other) => worse(other, one)).map((health) => [health.resource, health]),
    );
}

/** How fit a resource is: what is under one that is not, goes with it. The worst counts; none where all is well. */
export function healthOf(path: string, known: ReadonlyMap<string, Health>): Health | undefined {
    if (known.size === 0) return undefined;
    const found = pathsTo(path).flatMap((each) => known.get(each) ?? []);
    return found.toSorted(worse)[0];
}

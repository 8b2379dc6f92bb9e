// Moments as the axis of a timeline writes them.

import { timeOfDay } from '../parts/time';

/** 14:03:09, and with tenths where the scale asks for them. */
export function moment(at: number): string {
    const millis = Math.round(at) % 1_000;
    return millis === 0 ? timeOfDay(at) : `${timeOfDay(at)}.${Math.floor(millis / 100)}`;
}

// Where a person has put the devices of the picture: kept in their browser, so that the picture never jumps.

import type { Spot } from './layout';

const KEY = 'jackfield.topology';
/** Devices whose places are kept. */
const KEPT_MAX = 5_000;

export function readKept(): Map<string, Spot> {
    try {
        const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
        if (!Array.isArray(read)) return new Map();
        return new Map(
            read.filter((each): each is [string, Spot] => {
                const [path, spot] = Array.isArray(each) ? (each as unknown[]) : [];
                const at = spot as Partial<Spot> | null | undefined;
                return typeof path === 'string' && Number.isFinite(at?.x) && Number.isFinite(at?.y);
            }),
        );
    } catch {
        // What another version or another hand has written there is no reason to show nothing.
        return new Map();
    }
}

export function keep(spots: ReadonlyMap<string, Spot>): void {
    try {
        localStorage.setItem(KEY, JSON.stringify([...spots].slice(-KEPT_MAX)));
    } catch {
        // A browser that keeps nothing shows the picture all the same.
    }
}

export function forget(): void {
    localStorage.removeItem(KEY);
}

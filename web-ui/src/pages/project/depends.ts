// Dependencies between items, as their texts say them: `ID:status;ID2:status2`. Pure.

import type { Item } from '../../state/drafts.svelte';
import { isWithin } from '../../state/ways';

export type Dependency = { readonly id: string; readonly status: string };

type Named = Pick<Item, 'key' | 'way' | 'fields'>;

export function dependenciesOf({ fields }: Pick<Item, 'fields'>): Dependency[] {
    const entries = (fields['Dependency'] ?? '').split(';').map((entry) => entry.trim());
    return entries.filter(Boolean).map((entry) => {
        const colon = entry.lastIndexOf(':');
        return colon < 0
            ? { id: entry, status: '' }
            : { id: entry.slice(0, colon).trim(), status: entry.slice(colon + 1).trim() };
    });
}

export function writeDependencies(all: readonly Dependency[]): string {
    return all.map(({ id, status }) => `${id}:${status}`).join(';');
}

/** The keys of all that wait for an item, directly or over others: a suite waits for what its items wait for, and its items for what it waits for. */
export function reachable(items: readonly Named[], item: Named): Set<string> {
    const waits = new Map<string, Named[]>();
    for (const each of items) {
        for (const { id } of dependenciesOf(each)) waits.set(id, [...(waits.get(id) ?? []), each]);
    }
    const found = new Set<string>();
    const open: Named[] = [item];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const now = next;
        // Who waits for a suite around it waits for it as well.
        const around = items.filter((each) => isWithin(now.way, each.way));
        for (const { fields } of around) {
            for (const waiter of waits.get(fields['ID'] ?? '\0') ?? []) {
                // What a suite waits for, all in it wait for.
                for (const each of items.filter((each) => isWithin(each.way, waiter.way))) {
                    if (found.has(each.key)) continue;
                    found.add(each.key);
                    open.push(each);
                }
            }
        }
    }
    return found;
}

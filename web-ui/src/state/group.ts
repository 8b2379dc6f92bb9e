/** Things by what they have in common. `Map.groupBy` is younger than browsers of labs. */
export function grouped<K, T>(things: readonly T[], key: (thing: T) => K): Map<K, T[]> {
    const groups = new Map<K, T[]>();
    for (const thing of things) {
        const group = groups.get(key(thing));
        if (group === undefined) groups.set(key(thing), [thing]);
        else group.push(thing);
    }
    return groups;
}

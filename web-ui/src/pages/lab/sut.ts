// A SUT as it is written: a tree of components, each of which may be linked to a device of the lab.

export type Component = {
    readonly meta?: Readonly<Record<string, unknown>>;
    readonly children?: Readonly<Record<string, Component>>;
};

/** The components below its root, depth first: by their path, with the id of their device. */
export function componentsOf(sut: Component): { path: string; id: string | undefined }[] {
    const found: { path: string; id: string | undefined }[] = [];
    const open = Object.entries(sut.children ?? {}).map(([path, component]) => ({ path, component }));
    open.reverse();
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const { path, component } = next;
        const id = component.meta?.['_id'];
        found.push({ path, id: typeof id === 'string' && id !== '' ? id : undefined });
        const below = Object.entries(component.children ?? {});
        for (const [name, child] of below.reverse()) open.push({ path: `${path}/${name}`, component: child });
    }
    return found;
}

const EPS = '_epnames_';

/** On which EPs it runs, by user. */
export function epsOf(sut: Component): { user: string; names: string[] }[] {
    return Object.entries(sut.meta ?? {}).flatMap(([key, value]) => {
        if (!key.startsWith(EPS) || typeof value !== 'string') return [];
        const names = [
            ...new Set(
                value
                    .split(';')
                    .map((name) => name.trim())
                    .filter(Boolean),
            ),
        ];
        return names.length === 0 ? [] : [{ user: key.slice(EPS.length), names }];
    });
}

// The links of the lab, as its resources state them: which port leads to which, and which devices that joins. Pure.

/** What is read of a node of the tree. */
export type Stated = {
    readonly id: string;
    readonly path: string;
    readonly meta: Readonly<Record<string, unknown>>;
};

/** A cable: both its ends, and the devices that the ends belong to. */
export type Link = {
    readonly ends: readonly [string, string];
    readonly devices: readonly [string, string];
    /** Which ends say so, and how the property is called there. */
    readonly statedBy: readonly {
        readonly path: string;
        readonly property: string;
        readonly value: string;
    }[];
};

/** An end that names nothing of the lab. */
export type Dangling = { readonly path: string; readonly property: string; readonly value: string };

export type Links = {
    readonly links: readonly Link[];
    readonly dangling: readonly Dangling[];
    /** Every device that is joined to another, by its path. */
    readonly devices: readonly string[];
};

const NAMES = ['link', 'links'];
/** Kinds of things that are part of a device and no device. */
const PARTS = /^(port|interface|if|nic|module|card|linecard|slot|sfp|channel|line)s?$/i;

/** What a property says: one other end, or several. */
export function othersIn(value: unknown): string[] {
    if (typeof value === 'string') return value.trim() === '' ? [] : [value.trim()];
    return Array.isArray(value) ? value.flatMap(othersIn) : [];
}

const above = (path: string): string => path.slice(0, path.lastIndexOf('/'));

export function linksOf(nodes: readonly Stated[]): Links {
    const byPath = new Map(nodes.map((node) => [node.path, node]));
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const kind = (path: string): string => {
        const meta = byPath.get(path)?.meta ?? {};
        const found = meta['kind'] ?? meta['type'];
        return typeof found === 'string' ? found : '';
    };
    const deviceOf = (path: string): string => {
        let at = path;
        // A port without a kind is known by what it is in.
        while (above(at) !== '' && (PARTS.test(kind(at)) || (kind(at) === '' && kind(above(at)) !== '')))
            at = above(at);
        return at;
    };
    const found = new Map<string, Link>();
    const dangling: Dangling[] = [];
    for (const node of nodes) {
        for (const [property, value] of Object.entries(node.meta)) {
            if (!NAMES.includes(property.toLowerCase())) continue;
            for (const text of othersIn(value)) {
                const other = byPath.get(text) ?? byId.get(text);
                const statedBy = { path: node.path, property, value: text };
                if (other === undefined || other.path === node.path) {
                    dangling.push(statedBy);
                    continue;
                }
                const ends = [node.path, other.path].sort() as [string, string];
                const key = ends.join('\n');
                const known = found.get(key);
                const devices = [deviceOf(ends[0]), deviceOf(ends[1])] as const;
                found.set(key, { ends, devices, statedBy: [...(known?.statedBy ?? []), statedBy] });
            }
        }
    }
    const links = [...found.values()].sort((one, other) => one.ends.join().localeCompare(other.ends.join()));
    const devices = [...new Set(links.flatMap(({ devices }) => [...devices]))].sort();
    return { links, dangling, devices };
}

/** The value of the property with one more other end, or one less; null where nothing is left. */
export function withOther(value: unknown, other: string): string | string[] {
    const others = othersIn(value);
    if (others.includes(other)) return others.length === 1 ? other : others;
    return others.length === 0 ? other : [...others, other];
}

export function withoutOther(value: unknown, other: string): string | string[] | null {
    const others = othersIn(value).filter((each) => each !== other);
    return others.length === 0 ? null : others.length === 1 ? (others[0] ?? null) : others;
}

// What people look for in a device, from its properties.

import type { Node, Use } from '../../state/bench.svelte';

/** Properties whose values are shown to nobody who looks over a shoulder. */
const SECRET = /passw|passphrase|secret|token|community|private|enable$|api_?key|auth_key|priv_key/i;
const STARS = '••••••';

export function isSecret(name: string): boolean {
    return SECRET.test(name);
}

/** A property as text; objects as JSON with what is secret in them struck out. */
export function valueOf(name: string, value: unknown, isShown: boolean): string {
    if (!isShown && isSecret(name)) return STARS;
    if (typeof value === 'string') return value;
    return JSON.stringify(
        value,
        (key, inner: unknown) => (!isShown && key !== '' && isSecret(key) ? STARS : inner),
        1,
    );
}

function property({ meta }: Node, name: string): unknown {
    const key = Object.keys(meta).find((each) => each.toLowerCase() === name);
    return key === undefined ? undefined : meta[key];
}

/** What kind of device: its profile, or what it says of itself. */
export function kindOf(node: Node): string {
    const kind = property(node, 'profile') ?? property(node, 'kind') ?? property(node, 'type');
    return typeof kind === 'string' ? kind : '';
}

/** How it is reached. */
export function reachedBy(node: Node): string {
    const connect = property(node, 'connect') ?? property(node, 'protocol');
    const host = property(node, 'host') ?? property(node, 'address') ?? property(node, 'ip');
    const port = property(node, 'port');
    const words = [connect, host].filter((word): word is string => typeof word === 'string');
    const at = typeof port === 'number' || typeof port === 'string' ? `:${port}` : '';
    return words.length === 0 ? '' : `${words.join(' ')}${host === undefined ? '' : at}`;
}

/** Whether a terminal can be opened on it. */
export function isDevice(node: Node): boolean {
    return reachedBy(node) !== '' || kindOf(node) !== '';
}

export function hasPower(node: Node): boolean {
    return property(node, 'power') !== undefined;
}

/** How it is used, in words. */
export function told({ kind, user, run, name, ep }: Use): string {
    const by = run === undefined || run === null ? user : `run ${run} (${user})`;
    switch (kind) {
        case 'types':
            return `${user} types${ep ? ` through ${ep}` : ''}`;
        case 'watches':
            return `${user} watches`;
        case 'session':
            return `${by} has session ${name ?? ''} open`;
        case 'lease':
            return name === undefined || name === null ? `${by} has it` : `${by} has SUT ${name}`;
    }
}

/** Who uses a device or something below it, each thing once, the closest first. */
export function usesOf(path: string, byPath: ReadonlyMap<string, readonly Use[]>): Use[] {
    const own = byPath.get(path) ?? [];
    const below: Use[] = [];
    for (const [other, uses] of byPath) if (other.startsWith(`${path}/`)) below.push(...uses);
    return [...own, ...below];
}

/** The same in few words, for a row. */
export function summary(uses: readonly Use[]): string {
    const runs = new Set(uses.map(({ run }) => run).filter((run) => run !== undefined && run !== null));
    const typists = new Set(uses.filter(({ kind }) => kind === 'types').map(({ user }) => user));
    const watchers = uses.filter(({ kind }) => kind === 'watches').length;
    // A person who has the device for themselves; who has it by a run is told by the run.
    const holders = new Set(
        uses
            .filter(({ kind, run }) => kind === 'lease' && (run === undefined || run === null))
            .map(({ user }) => user),
    );
    const words = [
        ...[...holders].map((user) => `${user} has it`),
        ...[...typists].map((user) => `${user} types`),
        ...[...runs].map((run) => `run ${String(run)}`),
        ...(watchers > 0 ? [`${watchers} ${watchers === 1 ? 'watches' : 'watch'}`] : []),
    ];
    return words.join(', ');
}

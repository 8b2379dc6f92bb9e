// How long the tests of a project took lately, and from that what a run of its draft will cost.

import { api, ask, type Schemas } from '../api/client';
import { Asked } from './asked.svelte';

type Timed = Pick<Schemas['ProjectItem'], 'kind' | 'name' | 'attempts'>;

/** What tests will take, one after the other. */
export type Cost = {
    readonly attempts: number;
    /** Of those whose time is known. */
    readonly millis: number;
    /** Attempts of tests that never ran to an end. */
    readonly unknown: number;
};

export class Durations extends Asked<ReadonlyMap<string, number>> {
    constructor(project: string) {
        super(async () => {
            const { items } = await ask(
                api.GET('/api/v1/project-durations', { params: { query: { project } } }),
            );
            return new Map(items.map(({ file, millis }) => [file, millis]));
        });
    }

    /** What was found already: a project has a few files, and each many times. */
    #found: { in: ReadonlyMap<string, number> | undefined; files: Map<string, number | undefined> } = {
        in: undefined,
        files: new Map(),
    };

    /** How long a test of this file takes; nothing where that is not known. */
    of(file: string): number | undefined {
        if (this.#found.in !== this.data) this.#found = { in: this.data, files: new Map() };
        const { files } = this.#found;
        if (!files.has(file)) files.set(file, durationOf(this.data, file));
        return files.get(file);
    }

    cost(items: readonly Timed[]): Cost {
        let [attempts, millis, unknown] = [0, 0, 0];
        for (const { kind, name, attempts: times } of items) {
            if (kind !== 'test' || times === 0) continue;
            attempts += times;
            const each = this.of(name);
            if (each === undefined) unknown += times;
            else millis += each * times;
        }
        return { attempts, millis, unknown };
    }
}

/** A project of a Twister home says `$HOME/…` or `~/…`, and a run has the whole path. */
export function durationOf(known: ReadonlyMap<string, number> | undefined, file: string): number | undefined {
    const there = known?.get(file);
    const inHome = /^(?:\$HOME|~)(\/.*)$/.exec(file)?.[1];
    if (there !== undefined || inHome === undefined) return there;
    for (const [path, millis] of known ?? []) if (path.endsWith(inHome)) return millis;
    return undefined;
}

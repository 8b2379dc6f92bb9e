// Files of the lab that were deleted here, with their texts: they can be had back as long as the browser's page lives, by whoever deleted them.

import type { Problem } from '../api/problem';
import { deeds } from './deeds.svelte';
import { session } from './session.svelte';

/** Makes a file of this text. Answers why not. */
export type Make = (name: string, xml: string) => Promise<Problem | undefined>;

export class Gone {
    #all = $state.raw<readonly { user: string; name: string; xml: string }[]>([]);

    /** `what` says what they are: `Project`. */
    constructor(readonly what: string) {}

    get files(): readonly { name: string; xml: string }[] {
        return this.#all.filter(({ user }) => user === session.user);
    }

    add(name: string, xml: string): void {
        this.forget(name);
        this.#all = [...this.#all, { user: session.user, name, xml }];
    }

    /** Has one back, byte for byte. */
    async restore(name: string, make: Make): Promise<void> {
        const xml = this.files.find((each) => each.name === name)?.xml;
        if (xml === undefined) return;
        const problem = await make(name, xml);
        if (problem) deeds.refuse(`${this.what} ${name} is not back`, problem);
        else this.forget(name);
    }

    forget(name: string): void {
        this.#all = this.#all.filter((each) => each.name !== name || each.user !== session.user);
    }
}

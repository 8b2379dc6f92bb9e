// What can be bound: the components of test configurations, which are their folders, and those of SUTs. Each is asked for when it is looked at.

import { api, ask } from '../../api/client';
import { problemOf, type Problem } from '../../api/problem';
import { componentsOf, type Component } from '../lab/sut';

/** The binding that counts where a configuration has none of its own. */
export const DEFAULT = 'default_binding';

/** Things of one kind, by what they are of; each is asked for once, and again when that has changed. */
export class Parts {
    #known = $state.raw<ReadonlyMap<string, readonly string[] | Problem>>(new Map());
    readonly #asked = new Set<string>();

    constructor(readonly ask: (of: string) => Promise<readonly string[]>) {}

    /** The parts, or why they are not known; nothing while they are asked for. */
    of(name: string): readonly string[] | Problem | undefined {
        return this.#known.get(name);
    }

    async look(name: string): Promise<void> {
        if (this.#asked.has(name)) return;
        this.#asked.add(name);
        let found: readonly string[] | Problem;
        try {
            found = await this.ask(name);
        } catch (thrown) {
            found = problemOf(thrown);
            this.#asked.delete(name);
        }
        this.#known = new Map([...this.#known, [name, found]]);
    }

    /** They may be others by now: what is shown stays until they are there. */
    forget(): void {
        this.#asked.clear();
    }
}

/** The components of a test configuration: its folders of the first level. */
export async function foldersOf(config: string): Promise<readonly string[]> {
    const { items } = await ask(api.POST('/api/v1/test-configs/edit', { body: { config } }));
    const folders = (items ?? []).filter(({ kind, depth }) => kind === 'folder' && depth === 1);
    return folders.map(({ name }) => name);
}

/** The components of a SUT, as a binding names them: `/router.user`, `/router.user/wan`. */
export async function componentPaths(sut: string): Promise<readonly string[]> {
    const tree = (await ask(
        api.GET('/api/v1/suts/{sut}', { params: { path: { sut } } }),
    )) as unknown as Component;
    return [`/${sut}`, ...componentsOf(tree).map(({ path }) => `/${sut}/${path}`)];
}

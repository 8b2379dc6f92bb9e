// The devices of the lab: the tree, the SUTs, and who uses what. Asked for once, and again when the feed says that
// something changed.

import { api, ask, type Schemas } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import { FlatTree } from '../tree/tree';
import { grouped } from './group';

export type Node = Schemas['TreeNode'];
export type Sut = Schemas['SutSummary'];
export type Use = Schemas['DeviceUse'];

/** After a word that something changed, this long nothing is asked: words come in crowds. */
const GATHER_MILLIS = 300;

export class Bench {
    tree = $state.raw<FlatTree<Node>>();
    suts = $state.raw<readonly Sut[]>([]);
    uses = $state.raw<readonly Use[]>([]);
    problem = $state.raw<Problem>();
    #timers = new Map<string, ReturnType<typeof setTimeout>>();

    /** Everybody who uses a device, by its path. */
    readonly byPath: ReadonlyMap<string, readonly Use[]> = $derived(
        grouped(this.uses, (use) => use.resource),
    );
    readonly byName: ReadonlyMap<string, readonly Use[]> = $derived(
        grouped(
            this.uses.filter(({ kind }) => kind === 'lease'),
            (use) => use.name ?? '',
        ),
    );

    /** Asks for the tree soon. */
    renewTree(): void {
        this.#soon('tree', async () => {
            const root = await ask(api.GET('/api/v1/resources/tree'));
            this.tree = FlatTree.of(root.children, {
                id: ({ path }) => path,
                children: ({ children }) => children,
            });
        });
    }

    renewSuts(): void {
        this.#soon('suts', async () => {
            this.suts = (await ask(api.GET('/api/v1/suts'))).items;
        });
    }

    renewUses(): void {
        this.#soon('uses', async () => {
            this.uses = (await ask(api.GET('/api/v1/resources/uses'))).items;
        });
    }

    close(): void {
        for (const timer of this.#timers.values()) clearTimeout(timer);
    }

    #soon(what: string, act: () => Promise<void>): void {
        if (this.#timers.has(what)) return;
        const wait = this.tree === undefined ? 0 : GATHER_MILLIS;
        this.#timers.set(
            what,
            setTimeout(() => {
                this.#timers.delete(what);
                act().then(
                    () => (this.problem = undefined),
                    (thrown: unknown) => (this.problem = problemOf(thrown)),
                );
            }, wait),
        );
    }
}

// The list of runs as one filtered it: pages from the engine, newest first, and what comes while one looks.

import { api, ask } from '../api/client';
import { problemOf, type Problem } from '../api/problem';
import type { Query } from '../routes';
import { lab, type Run } from './lab.svelte';

/** Runs that are asked for at once. */
const PAGE = 100;

/** What the address says of which runs are wanted. */
export type Wanted = { open?: boolean; failed?: boolean; user?: string; text?: string };

export function wantedOf(query: Query): Wanted {
    const { show, user, text } = query;
    return {
        ...(show === 'open' ? { open: true } : {}),
        ...(show === 'failed' ? { failed: true } : {}),
        ...(user ? { user } : {}),
        ...(text ? { text } : {}),
    };
}

/** Whether a run that comes by the feed belongs into the list. */
export function fits(run: Run, { open, failed, user, text }: Wanted, bad: number): boolean {
    const over = run.state === 'completed' || run.state === 'stopped';
    if (open && over) return false;
    if (failed && bad === 0) return false;
    if (user && run.user !== user) return false;
    return !text || `${run.id} ${run.project}`.toLowerCase().includes(text.toLowerCase());
}

export class RunList {
    /** The numbers of what is listed, newest first. */
    ids = $state.raw<readonly number[]>([]);
    /** Where the next page begins; nothing at the end. */
    next = $state<string>();
    loading = $state(true);
    problem = $state.raw<Problem>();
    #round = 0;

    constructor(readonly wanted: Wanted) {}

    /** Asks for the first page again; what is there stays until it comes. */
    async renew(): Promise<void> {
        await this.#page(undefined);
    }

    /** Asks for older ones. */
    async more(): Promise<void> {
        if (this.next !== undefined && !this.loading) await this.#page(this.next);
    }

    async #page(after: string | undefined): Promise<void> {
        const round = ++this.#round;
        this.loading = true;
        try {
            const query = { ...this.wanted, limit: PAGE, after };
            const page = await ask(api.GET('/api/v1/runs', { params: { query } }));
            if (round !== this.#round) return;
            lab.know(page.items);
            const ids = page.items.map((run) => run.id);
            this.ids = after === undefined ? ids : [...this.ids, ...ids];
            this.next = page.next ?? undefined;
            this.problem = undefined;
        } catch (thrown) {
            if (round === this.#round) this.problem = problemOf(thrown);
        } finally {
            if (round === this.#round) this.loading = false;
        }
    }
}

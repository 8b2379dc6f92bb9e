// Something that is asked of the engine for one page: what came, why it did not, and again when it may have changed.

import { problemOf, type Problem } from '../api/problem';
import { session } from './session.svelte';

export class Asked<T> {
    problem = $state.raw<Problem>();
    /** What came, and for whom: who signs in after somebody else is not shown what they were. */
    #answer = $state.raw<{ user: string; data: T }>();
    #round = 0;

    constructor(readonly question: () => Promise<T>) {}

    get data(): T | undefined {
        return this.#answer?.user === session.user ? this.#answer.data : undefined;
    }

    /** Asks (again); what is there stays until the answer comes. */
    async look(): Promise<void> {
        const round = ++this.#round;
        const user = session.user;
        try {
            const data = await this.question();
            if (round !== this.#round) return;
            this.#answer = { user, data };
            this.problem = undefined;
        } catch (thrown) {
            if (round === this.#round) this.problem = problemOf(thrown);
        }
    }
}

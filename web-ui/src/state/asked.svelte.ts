// Something that is asked of the engine for one page: what came, why it did not, and again when it may have changed.

import { problemOf, type Problem } from '../api/problem';

export class Asked<T> {
    data = $state.raw<T>();
    problem = $state.raw<Problem>();
    #round = 0;

    constructor(readonly question: () => Promise<T>) {}

    /** Asks (again); what is there stays until the answer comes. */
    async look(): Promise<void> {
        const round = ++this.#round;
        try {
            const data = await this.question();
            if (round !== this.#round) return;
            this.data = data;
            this.problem = undefined;
        } catch (thrown) {
            if (round === this.#round) this.problem = problemOf(thrown);
        }
    }
}

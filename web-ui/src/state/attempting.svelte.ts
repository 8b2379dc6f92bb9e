// Something that is tried: whether it is on its way, and what came of it.

import { problemOf, type Problem } from '../api/problem';

export class Attempting<T> {
    waits = $state(false);
    /** What came of it, and why it did not. */
    answer = $state.raw<T>();
    problem = $state.raw<Problem>();

    async run(act: () => Promise<T>): Promise<void> {
        if (this.waits) return;
        [this.waits, this.answer, this.problem] = [true, undefined, undefined];
        try {
            this.answer = await act();
        } catch (thrown) {
            this.problem = problemOf(thrown);
        } finally {
            this.waits = false;
        }
    }
}

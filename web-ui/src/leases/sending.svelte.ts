// What a dialog sends: whether it is under way, and why it was refused.

import { problemOf, type Problem } from '../api/problem';

export class Sending {
    waits = $state(false);
    problem = $state.raw<Problem>();

    /** Sends; answers whether it was taken. */
    async go(act: () => Promise<unknown>): Promise<boolean> {
        this.waits = true;
        this.problem = undefined;
        try {
            await act();
            return true;
        } catch (thrown) {
            this.problem = problemOf(thrown);
            return false;
        } finally {
            this.waits = false;
        }
    }
}

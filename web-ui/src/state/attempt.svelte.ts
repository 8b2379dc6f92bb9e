// One try of a test with everything that is known of it, asked for again when the test moves on.

import { api, ask, type Schemas } from '../api/client';
import { problemOf, type Problem } from '../api/problem';

export class Attempt {
    detail = $state.raw<Schemas['AttemptDetail']>();
    problem = $state.raw<Problem>();

    constructor(readonly id: string) {}

    async look(): Promise<void> {
        try {
            this.detail = await ask(
                api.GET('/api/v1/attempts/{attempt}', { params: { path: { attempt: this.id } } }),
            );
            this.problem = undefined;
        } catch (thrown) {
            this.problem = problemOf(thrown);
        }
    }
}

// A try of what is in the editor, saved or not: the whole draft, or some tests of it. It is temporary: it counts in no statistics, goes into no
// database and sends no mail.

import { api, ask } from '../api/client';
import { problemOf, type Problem } from '../api/problem';

export class Trial {
    /** The run that was started. */
    run = $state<number>();
    /** Why none was. */
    problem = $state.raw<Problem>();
    starts = $state(false);

    /** `what` says what is tried; `only` are the IDs of tests, and none mean all. */
    constructor(
        readonly project: string,
        readonly what: string,
        readonly only: readonly string[],
    ) {}

    async start(xml: string): Promise<void> {
        this.starts = true;
        try {
            const { run } = await ask(
                api.POST('/api/v1/runs', {
                    body: { project: this.project, xml, only: [...this.only], temporary: true },
                }),
            );
            this.run = run;
            this.problem = undefined;
        } catch (thrown) {
            this.problem = problemOf(thrown);
        } finally {
            this.starts = false;
        }
    }
}

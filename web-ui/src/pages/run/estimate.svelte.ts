// How long a run will take, as far as the last one of its kind tells.

import { api, ask } from '../../api/client';

export class Estimate {
    /** How long; nothing where no run is alike. */
    millis = $state<number>();
    /** The run that took so long. */
    as = $state<number>();

    constructor(project: string, run: number, tests: number) {
        void this.#look(project, run, tests);
    }

    async #look(project: string, run: number, tests: number): Promise<void> {
        try {
            const query = { project, open: false, limit: 20 };
            const { items } = await ask(api.GET('/api/v1/runs', { params: { query } }));
            // One that ended by itself, with as many tests.
            const alike = items.find(
                (other) => other.id !== run && other.state === 'completed' && other.tests === tests,
            );
            if (!alike?.started || !alike.ended) return;
            this.millis = Date.parse(alike.ended) - Date.parse(alike.started);
            this.as = alike.id;
        } catch {
            // Without an estimate nothing is said.
        }
    }
}

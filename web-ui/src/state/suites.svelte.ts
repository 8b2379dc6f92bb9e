// Predefined suites of the lab: listed for who puts them into a project, and made of the suites of one.

import { api, ask, type Schemas } from '../api/client';
import { refusalOf, type Problem } from '../api/problem';
import { Asked } from './asked.svelte';
import { deeds } from './deeds.svelte';

export type SuiteRow = Schemas['SuiteRow'];

class Suites extends Asked<readonly SuiteRow[]> {
    constructor() {
        super(async () => (await ask(api.GET('/api/v1/suites'))).items);
    }

    /** Makes suites of a text predefined. `over` is the version that is replaced, where one is. Answers why not. */
    export(
        suite: string,
        body: Schemas['ExportSuites'],
        over: string | undefined,
    ): Promise<Problem | undefined> {
        return refusalOf(async () => {
            const headers = over === undefined ? { 'If-None-Match': '*' } : { 'If-Match': `"${over}"` };
            await ask(api.PUT('/api/v1/suites/{suite}', { params: { path: { suite } }, body, headers }));
            await this.look();
        });
    }

    delete({ name, file, version }: SuiteRow): void {
        deeds.confirm({
            title: `Delete the predefined suite ${name}?`,
            what: [`${file} goes from the lab folder.`, 'Projects that took it keep what they have.'],
            yes: 'Delete it',
            danger: true,
            act: async () => {
                await ask(
                    api.DELETE('/api/v1/suites/{suite}', {
                        params: { path: { suite: name } },
                        ...(version === '' ? {} : { headers: { 'If-Match': `"${version}"` } }),
                    }),
                );
                await this.look();
            },
        });
    }
}

export const suites = new Suites();

// What people do to runs and EPs. Each deed says how it went: done is seen at once by the feed, refused is told with the
// engine's sentence. What ends or delays work asks first, and says in words what will happen.

import { api, ask } from '../api/client';
import { copyText } from '../parts/clipboard';
import { problemOf, type Problem } from '../api/problem';
import { counted } from '../text/words';
import { place } from './place.svelte';
import type { Run } from './lab.svelte';

/** Something to be confirmed before it is done. */
export type Question = {
    title: string;
    /** What will happen, a line each. */
    what: string[];
    /** The word on the button. */
    yes: string;
    danger?: boolean;
    /** A sentence that goes with the deed. */
    reason?: boolean;
    act: (reason: string) => Promise<void>;
};

/** Something to be told: it goes by itself, unless it is a problem. */
export type Told = { id: number; text: string; problem?: Problem; link?: { href: string; text: string } };

const TOLD_MILLIS = 6_000;

class Deeds {
    /** What is asked now. */
    question = $state.raw<Question>();
    /** What was told lately. */
    told = $state.raw<readonly Told[]>([]);
    #last = 0;

    /** Asks before it does. */
    confirm(question: Question): void {
        this.question = question;
    }

    /** Says that something was done. */
    tell(text: string, link?: Told['link']): void {
        const told: Told = { id: ++this.#last, text, ...(link ? { link } : {}) };
        this.told = [...this.told, told];
        setTimeout(() => this.dismiss(told.id), TOLD_MILLIS);
    }

    /** Says that something was refused. It stays until it is put away. */
    refuse(what: string, thrown: unknown): void {
        const problem = problemOf(thrown);
        this.told = [...this.told, { id: ++this.#last, text: `${what}: ${problem.message}`, problem }];
    }

    /** Nobody is signed in any more. */
    forget(): void {
        this.told = [];
        this.question = undefined;
    }

    dismiss(id: number): void {
        this.told = this.told.filter((told) => told.id !== id);
    }

    /** Does something, and tells it if it is refused. Answers whether it was done. */
    async try(what: string, act: () => Promise<unknown>): Promise<boolean> {
        try {
            await act();
            return true;
        } catch (thrown) {
            this.refuse(what, thrown);
            return false;
        }
    }

    pause(run: number): Promise<boolean> {
        return this.try(`Run ${run} was not paused`, () =>
            ask(api.POST('/api/v1/runs/{run}/pause', { params: { path: { run } } })),
        );
    }

    resume(run: number): Promise<boolean> {
        return this.try(`Run ${run} was not resumed`, () =>
            ask(api.POST('/api/v1/runs/{run}/resume', { params: { path: { run } } })),
        );
    }

    /** Stops a run; one that is being stopped can only be ended at once. */
    stop({ id, state }: Pick<Run, 'id' | 'state'>, now = state === 'stopping'): void {
        const gentle = [
            'What runs now is ended and counts as aborted.',
            'What has not started is not executed.',
            'Teardown files, the post script, report and mail follow.',
        ];
        const hard = [
            'What runs now is killed, teardown files too.',
            'The post script is left out: devices may stay as they are.',
            'Report and mail follow.',
        ];
        this.confirm({
            title: now ? `End run ${id} at once?` : `Stop run ${id}?`,
            what: now ? hard : gentle,
            yes: now ? 'End it at once' : 'Stop it',
            danger: true,
            reason: true,
            act: async (reason) => {
                await ask(
                    api.POST('/api/v1/runs/{run}/stop', {
                        params: { path: { run: id } },
                        body: { reason, now },
                    }),
                );
            },
        });
    }

    /** Runs again what did not pass, and goes there. */
    async retry(run: number): Promise<void> {
        await this.try(`Run ${run} was not run again`, async () => {
            const { run: again } = await ask(
                api.POST('/api/v1/runs/{run}/retry', { params: { path: { run } } }),
            );
            this.tell(`Run ${again} runs what did not pass in run ${run}.`);
            place.go({ page: 'run', run: again });
        });
    }

    /** Takes tests that have not started out of a run. */
    dequeue(run: number, tests: { test: number; name: string }[]): void {
        const names = tests.slice(0, 5).map(({ name }) => name);
        this.confirm({
            title:
                tests.length === 1
                    ? `Take ${names[0]} out of run ${run}?`
                    : `Take ${tests.length} tests out of run ${run}?`,
            what: [
                'What has not started ends as skipped.',
                ...(tests.length > 1 ? [names.join(', ') + (tests.length > 5 ? ', …' : '')] : []),
            ],
            yes: 'Take out',
            act: async () => {
                const body = { tests: tests.map(({ test }) => test) };
                await ask(api.POST('/api/v1/runs/{run}/dequeue', { params: { path: { run } }, body }));
            },
        });
    }

    /** Copies a text, and says so. */
    async copy(what: string, text: string): Promise<void> {
        if (await this.try(`The ${what} was not copied`, () => copyText(text)))
            this.tell(`Copied the ${what}: ${text}`);
    }

    /** Copies a text with a secret in it: what is told of it does not say it again. */
    async copySecret(what: string, text: string): Promise<void> {
        if (await this.try(`The ${what} was not copied`, () => copyText(text)))
            this.tell(`The ${what} is in the clipboard.`);
    }

    /** Adds tests to a run. Answers whether it was done. */
    queue(run: number, suite: string | undefined, files: string[]): Promise<boolean> {
        return this.try(`Nothing was added to run ${run}`, async () => {
            const body = { files, ...(suite ? { suite } : {}) };
            const { tests } = await ask(
                api.POST('/api/v1/runs/{run}/queue', { params: { path: { run } }, body }),
            );
            this.tell(
                tests.length === 1
                    ? `1 test was added to run ${run}.`
                    : `${tests.length} tests were added to run ${run}.`,
            );
        });
    }

    /**
     * Adds tests of a project to a run that goes on: those that the run has as they are there, at the end of their own suites; others by their files,
     * at the end of the suite of the same name. Answers whether it was done.
     */
    queueTests(run: number, tests: readonly { id: string; file: string; suite: string }[]): Promise<boolean> {
        return this.try(`Nothing was added to run ${run}`, async () => {
            const params = { path: { run } };
            const plan = (await ask(api.GET('/api/v1/runs/{run}/plan', { params }))) as unknown;
            const known = originsOf(plan);
            const bySuite = new Map<string, string[]>();
            for (const { id, file, suite } of tests) {
                const isKnown = known.has(id);
                const of = isKnown ? '' : suite;
                bySuite.set(of, [...(bySuite.get(of) ?? []), isKnown ? id : file]);
            }
            let count = 0;
            for (const [suite, files] of bySuite) {
                const body = { files, ...(suite ? { suite } : {}) };
                const added = await ask(api.POST('/api/v1/runs/{run}/queue', { params, body }));
                count += added.tests.length;
            }
            this.tell(`${counted(count, 'test')} ${count === 1 ? 'was' : 'were'} added to run ${run}.`, {
                href: `/runs/${run}`,
                text: 'Look at it',
            });
        });
    }

    /** Inserts a run's results into the lab's database. */
    save(run: number): Promise<boolean> {
        return this.try(`Run ${run} was not saved`, async () => {
            await ask(
                api.POST('/api/v1/runs/{run}/save', { params: { path: { run } }, body: { again: false } }),
            );
            this.tell(`The results of run ${run} go into the lab’s database.`);
        });
    }

    /** Answers a test's question. */
    answer(run: number, question: number, answer: unknown): Promise<boolean> {
        const params = { path: { run, question } };
        return this.try('The answer was not taken', () =>
            ask(api.POST('/api/v1/runs/{run}/questions/{question}', { params, body: { answer } })),
        );
    }

    /** Gives an EP no more work, or work again. */
    drain(ep: string, drained: boolean, runs: number): void {
        const act = async () => {
            await ask(api.POST('/api/v1/eps/{ep}/drain', { params: { path: { ep } }, body: { drained } }));
        };
        if (!drained) {
            void this.try(`${ep} takes no work`, act);
            return;
        }
        const goes =
            runs > 0
                ? `What runs on it now goes on: ${runs === 1 ? '1 test' : `${runs} tests`}.`
                : 'Nothing runs on it now.';
        this.confirm({
            title: `Give ${ep} no more work?`,
            what: [goes, 'Runs that need it wait until it takes work again.'],
            yes: 'Drain it',
            act,
        });
    }
}

/** The IDs that tests of a plan have in their project. */
function originsOf(plan: unknown): ReadonlySet<string> {
    const tests =
        typeof plan === 'object' && plan !== null && 'tests' in plan && Array.isArray(plan.tests)
            ? (plan.tests as { origin?: string }[])
            : [];
    return new Set(tests.map(({ origin }) => origin ?? ''));
}

export const deeds = new Deeds();

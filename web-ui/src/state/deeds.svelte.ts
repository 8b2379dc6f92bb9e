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
export type Told = {
    id: number;
    text: string;
    problem?: Problem;
    link?: { href: string; text: string };
    /** Takes back what was done. */
    undo?: () => Promise<void>;
};

const TOLD_MILLIS = 6_000;
/** What can be undone is told long enough to think about it. */
const UNDO_MILLIS = 60_000;

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
    tell(text: string, link?: Told['link'], undo?: Told['undo']): void {
        const told: Told = { id: ++this.#last, text, ...(link ? { link } : {}), ...(undo ? { undo } : {}) };
        this.told = [...this.told, told];
        setTimeout(() => this.dismiss(told.id), told.undo ? UNDO_MILLIS : TOLD_MILLIS);
    }

    /** What can be undone now, the newest. */
    get undoable(): Told | undefined {
        return this.told.findLast(({ undo }) => undo !== undefined);
    }

    /** Takes back what was told: once. */
    undo({ id, undo }: Told): void {
        this.dismiss(id);
        void undo?.();
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
        const taken = counted(tests.length, 'test');
        const names = tests.slice(0, 5).map(({ name }) => name);
        this.confirm({
            title:
                tests.length === 1
                    ? `Take ${names[0]} out of run ${run}?`
                    : `Take ${tests.length} tests out of run ${run}?`,
            what: [
                'What has not started ends as skipped. You can undo it as long as the message about it stands.',
                ...(tests.length > 1 ? [names.join(', ') + (tests.length > 5 ? ', …' : '')] : []),
            ],
            yes: 'Take out',
            act: async () => {
                await takeOut(
                    run,
                    tests.map(({ test }) => test),
                );
                this.tell(
                    `${taken} ${isAre(tests.length, 'was', 'were')} taken out of run ${run}.`,
                    undefined,
                    () => this.#addAgain(run, tests),
                );
            },
        });
    }

    /** Adds tests again that were taken out of a run, each at the end of its own suite. */
    async #addAgain(run: number, tests: { test: number }[]): Promise<void> {
        await this.try(`Nothing was added to run ${run} again`, async () => {
            const plan = await planOf(run);
            const files = tests.map(({ test }) => plan[test]?.id ?? '').filter(Boolean);
            await ask(api.POST('/api/v1/runs/{run}/queue', { params: { path: { run } }, body: { files } }));
            const added = `${counted(files.length, 'test')} ${isAre(files.length, 'is', 'are')}`;
            this.tell(`${added} in run ${run} again, at the end of their suites.`);
        });
    }

    /** Takes tests out again that were added, as far as they have not begun. */
    async #takeBack(run: number, tests: readonly number[]): Promise<void> {
        const left: string[] = [];
        for (const test of tests) {
            try {
                await takeOut(run, [test]);
            } catch (thrown) {
                left.push(problemOf(thrown).message);
            }
        }
        const taken = tests.length - left.length;
        if (taken > 0)
            this.tell(`${counted(taken, 'test')} ${isAre(taken, 'was', 'were')} taken out of run ${run}.`);
        const [first] = left;
        if (first !== undefined)
            this.refuse(
                `${counted(left.length, 'test')} ${isAre(left.length, 'stays', 'stay')} in run ${run}`,
                new Error(first),
            );
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
            const added = `${counted(tests.length, 'test')} ${isAre(tests.length, 'was', 'were')}`;
            this.tell(`${added} added to run ${run}.`, undefined, () => this.#takeBack(run, tests));
        });
    }

    /**
     * Adds tests of a project to a run that goes on: those that the run has as they are there, at the end of their own suites; others by their files,
     * at the end of the suite of the same name. Answers whether it was done.
     */
    queueTests(run: number, tests: readonly { id: string; file: string; suite: string }[]): Promise<boolean> {
        return this.try(`Nothing was added to run ${run}`, async () => {
            const params = { path: { run } };
            const known = new Set((await planOf(run)).map(({ origin }) => origin ?? ''));
            const bySuite = new Map<string, string[]>();
            for (const { id, file, suite } of tests) {
                const isKnown = known.has(id);
                const of = isKnown ? '' : suite;
                bySuite.set(of, [...(bySuite.get(of) ?? []), isKnown ? id : file]);
            }
            const all: number[] = [];
            for (const [suite, files] of bySuite) {
                const body = { files, ...(suite ? { suite } : {}) };
                const added = await ask(api.POST('/api/v1/runs/{run}/queue', { params, body }));
                all.push(...added.tests);
            }
            this.tell(
                `${counted(all.length, 'test')} ${isAre(all.length, 'was', 'were')} added to run ${run}.`,
                { href: `/runs/${run}`, text: 'Look at it' },
                () => this.#takeBack(run, all),
            );
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

    /** Gives EPs no more work, or work again; `tests` run on them now. */
    drain(eps: readonly string[], drained: boolean, tests: number): void {
        const [first = ''] = eps;
        const which = eps.length === 1 ? first : `${eps.length} EPs`;
        if (!drained) {
            void this.#drained(eps, false);
            return;
        }
        const goes =
            tests > 0
                ? `What runs on ${isAre(eps.length, 'it', 'them')} now goes on: ${counted(tests, 'test')}.`
                : `Nothing runs on ${isAre(eps.length, 'it', 'them')} now.`;
        const names = eps.slice(0, NAMED_MAX).join(', ') + (eps.length > NAMED_MAX ? ', …' : '');
        this.confirm({
            title: `Give ${which} no more work?`,
            what: [
                goes,
                `Runs that need ${isAre(eps.length, 'it', 'them')} wait until ${isAre(eps.length, 'it takes', 'they take')} work again.`,
                ...(eps.length > 1 ? [names] : []),
            ],
            yes: isAre(eps.length, 'Drain it', 'Drain them'),
            act: () => this.#drained(eps, true),
        });
    }

    /** Drains EPs or lets them work, one after the other, and says what came of it. */
    async #drained(eps: readonly string[], drained: boolean): Promise<void> {
        const done: string[] = [];
        for (const ep of eps) {
            const was = drained ? `${ep} is not drained` : `${ep} takes no work`;
            const act = () =>
                ask(api.POST('/api/v1/eps/{ep}/drain', { params: { path: { ep } }, body: { drained } }));
            if (await this.try(was, act)) done.push(ep);
        }
        const [first] = done;
        if (first === undefined) return;
        const who = done.length === 1 ? first : `${done.length} EPs`;
        const takes = isAre(done.length, 'takes', 'take');
        this.tell(`${who} ${takes} ${drained ? 'no more work' : 'work again'}.`, undefined, () =>
            this.#drained(done, !drained),
        );
    }
}

/** Names that are told of many. */
const NAMED_MAX = 5;

const isAre = (count: number, one: string, many: string): string => (count === 1 ? one : many);

/** Takes tests out of a run. */
function takeOut(run: number, tests: number[]): Promise<unknown> {
    return ask(api.POST('/api/v1/runs/{run}/dequeue', { params: { path: { run } }, body: { tests } }));
}

/** The tests of a run's plan by number: their IDs in the run, and in their project. */
async function planOf(run: number): Promise<{ id?: string; origin?: string }[]> {
    const plan = (await ask(api.GET('/api/v1/runs/{run}/plan', { params: { path: { run } } }))) as unknown;
    const has = typeof plan === 'object' && plan !== null && 'tests' in plan && Array.isArray(plan.tests);
    return has ? (plan.tests as { id?: string; origin?: string }[]) : [];
}

export const deeds = new Deeds();

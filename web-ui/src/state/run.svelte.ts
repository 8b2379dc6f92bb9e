// One run as its page shows it: all tests in brief, asked for once, then kept up to date by the run's own events.
//
// The tests are a plain list that is changed in place; `edits` grows once a frame, and whoever shows tests reads it. So
// a thousand events a second are sixty redraws, and a run of a hundred thousand tests costs no proxy for each of them.

import { api, ask, type Schemas } from '../api/client';
import { LiveStream, type LiveState } from '../api/live';
import type { ServerEvent } from '../api/sse';
import { problemOf, type Problem } from '../api/problem';
import { eachFrame } from './frames';
import { Columns, readable } from './outline';
import { Tests, type Test } from './tests';

export type { Test } from './tests';

type RunEvent = Schemas['RunEvent'];
type Fact<Name extends RunEvent['fact']> = Extract<RunEvent, { fact: Name }>;

export type Suite = {
    readonly name: string;
    readonly parent: number | undefined;
    readonly ep: string | undefined;
    readonly sut: string | undefined;
};

/** Something that was said about the run, for who reads what happened. */
export type Happening = { seq: number; at: string; event: RunEvent };

/** What is told in "What happened": not what every test says. */
const TOLD: ReadonlySet<RunEvent['fact']> = new Set([
    'submitted',
    'started',
    'placed',
    'part_waits',
    'tests_queued',
    'ep_silent',
    'ep_returned',
    'ep_lost',
    'ep_notice',
    'asked',
    'answered',
    'paused',
    'resumed',
    'stopping',
    'hook_ended',
    'note',
    'ended',
]);

/** Tests that are asked for before all others: some screens of them. */
const FOREMOST = 500;
/** Happenings that are kept; of a run that has more, the newest. */
const HAPPENINGS_MAX = 2_000;

export class OneRun {
    /** The run with what few ask for. */
    detail = $state.raw<Schemas['RunDetail']>();
    suites = $state.raw<readonly Suite[]>([]);
    /** Grows when tests have changed. */
    edits = $state(0);
    /** Whether the tests are there. */
    loaded = $state(false);
    /** Those that need a look first, of a large run that has ended: they are there before all tests are. */
    foremost = $state.raw<readonly Test[]>([]);
    problem = $state.raw<Problem>();
    /** How the stream of its events is. */
    connection = $state<LiveState>('connecting');
    happenings = $state.raw<readonly Happening[]>([]);
    /** Read `edits` first to follow them. */
    readonly tests = new Tests();
    #stream: LiveStream | undefined;
    #closed = false;
    /** When the oldest event that is not drawn yet came. */
    #heard: number | undefined;
    readonly #take = eachFrame<ServerEvent>((events) => this.#apply(events));

    constructor(readonly id: number) {
        void this.#load();
    }

    close(): void {
        this.#closed = true;
        this.#stream?.close();
    }

    /** Tries again what could not be loaded. */
    again(): void {
        void this.#load();
    }

    hurry(): void {
        this.#stream?.hurry();
    }

    /** The names of a suite and those around it, from the outside in. */
    path(suite: number): string[] {
        const names: string[] = [];
        for (
            let at: number | undefined = suite;
            at !== undefined && names.length < 100;
            at = this.suites[at]?.parent
        ) {
            names.unshift(this.suites[at]?.name ?? '');
        }
        return names;
    }

    async #load(): Promise<void> {
        const params = { path: { run: this.id } };
        // Beside the rest: it is shown for the moment until all is there.
        if (!this.loaded) void this.#lookFirst();
        try {
            const [detail, outline] = await Promise.all([
                ask(api.GET('/api/v1/runs/{run}', { params })),
                ask(api.GET('/api/v1/runs/{run}/outline', { params })),
            ]);
            if (this.#closed) return;
            this.detail = detail;
            this.suites = suitesOf(outline);
            // What is known stays until its page comes: a run that grows does not flicker.
            this.#add(outline);
            for (let next = outline.next; next && !this.#closed;) {
                const more = await ask(
                    api.GET('/api/v1/runs/{run}/outline', { params: { ...params, query: { from: next } } }),
                );
                this.#add(more);
                next = more.next;
            }
            this.problem = undefined;
            this.#follow(outline.seq);
            void this.#past(outline.seq);
        } catch (thrown) {
            if (!this.#closed) this.problem = problemOf(thrown);
        }
    }

    async #lookFirst(): Promise<void> {
        try {
            const params = { path: { run: this.id }, query: { foremost: FOREMOST } };
            const outline = await ask(api.GET('/api/v1/runs/{run}/outline', { params }));
            // Of a small run all comes as soon.
            if (this.#closed || this.loaded || outline.tests <= FOREMOST) return;
            this.suites = suitesOf(outline);
            const columns = new Columns(outline);
            this.foremost = Array.from({ length: columns.length }, (_, index) => columns.test(index));
        } catch {
            // The whole says what is wrong.
        }
    }

    #add(outline: Schemas['Outline']): void {
        const columns = new Columns(outline);
        for (let index = 0; index < columns.length; index++) this.tests.put(columns.test(index));
        this.loaded = true;
        this.foremost = [];
        this.edits += 1;
    }

    #follow(seq: number): void {
        this.#stream?.close();
        this.#stream = new LiveStream(`run/${this.id}`, String(seq), {
            events: (events) => {
                this.#heard ??= Date.now();
                this.#take(events);
            },
            state: (state) => (this.connection = state),
            refused: (problem) => (this.problem = problem),
            restsHidden: true,
        });
    }

    /** What was told before we came. */
    async #past(until: number): Promise<void> {
        try {
            const told: Happening[] = [];
            let after: string | undefined;
            do {
                const query = { facts: [...TOLD].join(','), limit: 1_000, after };
                const page = await ask(
                    api.GET('/api/v1/runs/{run}/events', { params: { path: { run: this.id }, query } }),
                );
                for (const event of page.items as RunEvent[]) {
                    if (event.seq <= until) told.push({ seq: event.seq, at: event.at, event });
                }
                after = page.next ?? undefined;
            } while (after !== undefined && told.length < HAPPENINGS_MAX * 5);
            const known = new Set(this.happenings.map(({ seq }) => seq));
            this.happenings = [...told.filter(({ seq }) => !known.has(seq)), ...this.happenings].slice(
                -HAPPENINGS_MAX,
            );
        } catch {
            // It is told again by the stream as far as it is new; the page says that the engine does not answer.
        }
    }

    #apply(events: ServerEvent[]): void {
        const told: Happening[] = [];
        let grown = false;
        let oldest: RunEvent | undefined;
        for (const { name, data } of events) {
            if (name !== 'run') continue;
            const event = JSON.parse(data) as RunEvent;
            oldest ??= event;
            if (TOLD.has(event.fact)) told.push({ seq: event.seq, at: event.at, event });
            grown = this.#happened(event) || grown;
        }
        if (told.length > 0) this.happenings = [...this.happenings, ...told].slice(-HAPPENINGS_MAX);
        if (grown) void this.#load();
        this.edits += 1;
        // For who measures how long an event takes to the screen, and where: the oldest that is drawn with this frame.
        const detail = oldest && { event: oldest, heard: this.#heard ?? Date.now() };
        this.#heard = undefined;
        document.dispatchEvent(new CustomEvent('jackfield:drawn', { detail }));
    }

    /** Takes one event in. Answers whether the run has grown, so that its outline has to be asked for again. */
    #happened(event: RunEvent): boolean {
        switch (event.fact) {
            case 'test_started':
                this.#started(event);
                break;
            case 'test_ended':
                this.#ended(event);
                break;
            case 'tests_ended':
                for (const [from, to] of event.tests as [number, number][]) {
                    for (let test = from; test < to; test++) this.#change(test, outcomeOf(event.outcome));
                }
                break;
            case 'test_waits':
                this.#change(event.test, { state: 'WAITING', reason: event.waits_for });
                break;
            case 'tests_queued':
                return true;
            case 'started':
            case 'paused':
            case 'resumed':
            case 'stopping':
            case 'hook_ended':
            case 'ended':
                void this.look();
                break;
        }
        return false;
    }

    #started({ attempt, ep, started }: Fact<'test_started'>): void {
        const [, test, number] = attempt.split('.').map(Number);
        if (test === undefined) return;
        this.#change(test, {
            state: 'WORKING',
            reason: '',
            attempt: number ?? 0,
            ep,
            started: Date.parse(started),
            elapsed: 0,
        });
    }

    #ended({ test, attempt, ep, outcome, started, elapsed_millis }: Fact<'test_ended'>): void {
        const number = attempt ? Number(attempt.split('.')[2]) : 0;
        const before = this.tests.all[test];
        this.#change(test, {
            ...outcomeOf(outcome),
            attempt: number,
            ep: ep ?? before?.ep,
            started: started ? Date.parse(started) : before?.started,
            elapsed: elapsed_millis,
        });
    }

    #change(test: number, change: Partial<Test>): void {
        const before = this.tests.all[test];
        if (before) this.tests.put({ ...before, ...change });
    }

    /** How the run as a whole stands now; also whether it still is there. */
    async look(): Promise<void> {
        try {
            this.detail = await ask(api.GET('/api/v1/runs/{run}', { params: { path: { run: this.id } } }));
        } catch (thrown) {
            // The stream comes back by itself, and with it the next look; what is gone does not.
            const problem = problemOf(thrown);
            if (problem.code === 'not_found') this.problem = problem;
        }
    }
}

function suitesOf({ suites }: Schemas['Outline']): Suite[] {
    return suites.map(({ name, parent, ep, sut }) => ({
        name,
        parent: parent ?? undefined,
        ep: ep ?? undefined,
        sut: sut ?? undefined,
    }));
}

function outcomeOf(outcome: Schemas['Outcome']): Pick<Test, 'state' | 'cause' | 'reason'> {
    return {
        state: outcome.verdict,
        cause: outcome.cause ?? undefined,
        reason: readable(outcome.reason ?? ''),
    };
}

// The lab as lists show it, kept up to date by one feed: the pages that are open all look at this.
//
// The feed begins with `hello`. Where it does not go on from where we were, the lists that somebody looks at are asked
// for again; what changes after `hello` is told anyway, so nothing is missed in between.

import { api, ask, askAll, type Schemas } from '../api/client';
import { LiveStream, type LiveState } from '../api/live';
import type { ServerEvent } from '../api/sse';
import { problemOf, type Problem } from '../api/problem';
import { byPath } from '../leases/health';
import { clock } from './clock.svelte';
import { eachFrame } from './frames';
import { session, type Role } from './session.svelte';

export type Run = Schemas['RunSummary'];
export type Ep = Schemas['EpRow'];
export type Lease = Schemas['LeaseView'];
export type Console = Schemas['ConsoleRow'];
export type Question = Schemas['Question'];
export type Notice = Schemas['EngineNotice'];
export type Health = Schemas['ResourceHealth'];
export type FileChanged = Schemas['FileChanged'];

/** Files of which it is remembered who saved them last. */
const FILES_KEPT_MAX = 500;
/** Runs that are remembered without being looked at. */
const RUNS_KEPT_MAX = 2_000;

/** Each of these shows leases. */
const READ_LEASES: readonly Role[] = ['VIEW_REPORTS', 'LOCK_TESTBED', 'LOCK_SUT', 'CHANGE_TESTBED'];

/** The runs that go on, page by page. */
function openRuns(): Promise<Run[]> {
    const page = (after: string | undefined) => {
        const query = { open: true, limit: 1000, after };
        return ask(api.GET('/api/v1/runs', { params: { query } }));
    };
    return askAll(page, 5_000);
}

class Lab {
    /** Runs that were listed or that changed, by number. */
    runs = $state.raw<ReadonlyMap<number, Run>>(new Map());
    /** Every EP, by name; nothing until it was asked for. */
    eps = $state.raw<ReadonlyMap<string, Ep>>();
    /** Who has what, waits for it, or has booked it. */
    leases = $state.raw<readonly Lease[]>([]);
    /** What is not fit, or was spoiled lately. */
    health = $state.raw<readonly Health[]>([]);
    /** The same by path. */
    readonly healthByPath: ReadonlyMap<string, Health> = $derived(byPath(this.health));
    /** Who sits at consoles. */
    consoles = $state.raw<readonly Console[]>([]);
    /** What tests ask, by run. */
    questions = $state.raw<ReadonlyMap<number, Question[]>>(new Map());
    /** What somebody should look after. */
    notices = $state.raw<readonly Notice[]>([]);
    /** Runs that were deleted while one looked. */
    deleted = $state.raw<ReadonlySet<number>>(new Set());
    /** Grows when the tree was edited; whoever shows it asks again. */
    treeEdits = $state(0);
    /** Grows when a SUT was edited. */
    sutEdits = $state(0);
    /** Files of the lab that somebody saved or removed by the engine while one looked, by path: the newest of each. */
    files = $state.raw<ReadonlyMap<string, FileChanged>>(new Map());
    /** Grows when what was seen may have gaps: whoever keeps a list of their own asks again. */
    renewals = $state(0);

    /** How the connection is. */
    connection = $state<LiveState>('connecting');
    /** Whether it ever was live: before, nothing is old. */
    wasLive = $state(false);
    /** When anything was heard last, by this browser's clock: the age of all that is shown. */
    heard = $state(Date.now());
    /** Why the lists could not be had. */
    problem = $state.raw<Problem>();
    /** The build of the engine. */
    version = $state('');
    /** When the engine started. */
    started = $state('');

    #stream: LiveStream | undefined;
    /** What has come since everything was asked for: it may be newer than the answer. */
    #meanwhile: ServerEvent[] | undefined;
    readonly #take = eachFrame<ServerEvent>((events) => this.#apply(events));

    /** The runs that go on, newest first. */
    readonly open: readonly Run[] = $derived(
        [...this.runs.values()]
            .filter((run) => run.state !== 'completed' && run.state !== 'stopped')
            .sort((a, b) => b.id - a.id),
    );

    /** Begins to follow the lab; once, when somebody has signed in. */
    follow(): () => void {
        const stream = new LiveStream('lab', '', {
            events: (events) => this.#take(events),
            state: (state) => {
                this.connection = state;
                this.wasLive ||= state === 'live';
            },
            heard: () => (this.heard = Date.now()),
            refused: (problem) => (this.problem = problem),
        });
        this.#stream = stream;
        const back = () => document.hidden || stream.hurry();
        document.addEventListener('visibilitychange', back);
        addEventListener('online', back);
        return () => {
            stream.close();
            this.#stream = undefined;
            this.#forgetAll();
            document.removeEventListener('visibilitychange', back);
            removeEventListener('online', back);
        };
    }

    /** Tries now instead of after the wait. */
    hurry(): void {
        this.#stream?.hurry();
    }

    /** Runs that a list has shown; the feed keeps them up to date from now on. */
    know(runs: readonly Run[]): void {
        // What was deleted does not come back by an answer or an event that was on its way.
        const there = runs.filter(({ id }) => !this.deleted.has(id));
        // Another map that says the same would be news to whoever follows it.
        if (there.length === 0) return;
        const known = new Map(this.runs);
        for (const run of there) known.set(run.id, run);
        this.runs = known;
    }

    /** Asks for everything that the frame shows. */
    async #renew(): Promise<void> {
        this.renewals += 1;
        const meanwhile: ServerEvent[] = (this.#meanwhile = []);
        try {
            // Who may see only their own runs is shown those, and no lab.
            const [all, watches] = [session.may('VIEW_REPORTS'), session.mayWatch];
            const none = { items: [] };
            const [open, questions, eps, leases, health, consoles, notices] = await Promise.all([
                watches ? openRuns() : [],
                watches ? ask(api.GET('/api/v1/questions')) : none,
                all ? ask(api.GET('/api/v1/eps')) : none,
                session.mayAny(READ_LEASES) ? ask(api.GET('/api/v1/leases')) : none,
                all ? ask(api.GET('/api/v1/resources/health')) : none,
                all ? ask(api.GET('/api/v1/consoles')) : none,
                all ? ask(api.GET('/api/v1/notices')) : none,
            ]);
            // Who asked later knows better.
            if (this.#meanwhile !== meanwhile) return;
            this.#meanwhile = undefined;
            // What was open and is not any more has ended while we were away: its last state is asked for one by one.
            const still = new Set(open.map((run) => run.id));
            const ended = this.open.filter((run) => !still.has(run.id)).slice(0, 50);
            this.know(open);
            this.eps = new Map(eps.items.map((ep) => [ep.name, ep]));
            this.leases = leases.items;
            this.health = health.items;
            this.consoles = consoles.items;
            this.questions = new Map(questions.items.map((of) => [of.run, of.questions]));
            this.notices = notices.items;
            this.problem = undefined;
            this.#apply(meanwhile);
            for (const { id } of ended) await this.#lookAfter(id);
        } catch (thrown) {
            if (this.#meanwhile === meanwhile) this.#meanwhile = undefined;
            const problem = problemOf(thrown);
            // The stream says by itself that the engine does not answer, and comes back.
            if (problem.code !== 'unreachable') this.problem = problem;
        }
    }

    /** How a run has ended; one that was deleted meanwhile is gone, which is no problem of the lab. */
    async #lookAfter(run: number): Promise<void> {
        try {
            this.know([await ask(api.GET('/api/v1/runs/{run}', { params: { path: { run } } }))]);
        } catch (thrown) {
            if (problemOf(thrown).code !== 'not_found') throw thrown;
            this.#deleted(run);
        }
    }

    #apply(events: ServerEvent[]): void {
        const runs: Run[] = [];
        const eps: Ep[] = [];
        for (const event of events) {
            const { name, data } = event;
            if (name !== 'hello') this.#meanwhile?.push(event);
            const body: unknown = JSON.parse(data);
            switch (name) {
                case 'hello':
                    this.#hello(body as Schemas['FeedHello']);
                    break;
                case 'run':
                    runs.push(body as Run);
                    break;
                case 'deleted':
                    this.#deleted((body as Schemas['Deleted']).run);
                    break;
                case 'ep':
                    eps.push(body as Ep);
                    break;
                case 'questions':
                    this.#asked(body as Schemas['RunQuestions']);
                    break;
                case 'leases':
                    this.leases = body as Lease[];
                    break;
                case 'health':
                    this.health = body as Health[];
                    break;
                case 'consoles':
                    this.consoles = body as Console[];
                    break;
                case 'notices':
                    this.notices = body as Notice[];
                    break;
                case 'resources':
                    this.treeEdits += 1;
                    break;
                case 'suts':
                    this.sutEdits += 1;
                    break;
                case 'file':
                    this.#fileChanged(body as FileChanged);
                    break;
            }
        }
        if (runs.length > 0) {
            this.know(runs);
            this.#forget();
        }
        if (eps.length > 0)
            this.eps = new Map([...(this.eps ?? []), ...eps.map((ep) => [ep.name, ep] as const)]);
    }

    #deleted(run: number): void {
        this.deleted = new Set([...this.deleted, run]);
        const [runs, questions] = [new Map(this.runs), new Map(this.questions)];
        runs.delete(run);
        questions.delete(run);
        [this.runs, this.questions] = [runs, questions];
    }

    #fileChanged(changed: FileChanged): void {
        const others = [...this.files].filter(([file]) => file !== changed.file);
        this.files = new Map([...others.slice(-FILES_KEPT_MAX), [changed.file, changed]]);
    }

    #hello(hello: Schemas['FeedHello']): void {
        clock.set(hello.now);
        this.version = hello.version;
        this.started = hello.started;
        if (!hello.resumed) void this.#renew();
    }

    #asked({ run, questions }: Schemas['RunQuestions']): void {
        const all = new Map(this.questions);
        if (questions.length === 0) all.delete(run);
        else all.set(run, questions);
        this.questions = all;
    }

    /** Nobody is signed in: who comes next may see less. */
    #forgetAll(): void {
        this.#meanwhile = undefined;
        this.runs = new Map();
        this.questions = new Map();
        this.deleted = new Set();
        this.files = new Map();
        this.eps = undefined;
        [this.leases, this.health, this.consoles, this.notices] = [[], [], [], []];
        this.problem = undefined;
        this.wasLive = false;
    }

    /** Months of a page that stays open: the oldest runs that have ended are let go. */
    #forget(): void {
        if (this.runs.size <= RUNS_KEPT_MAX) return;
        const newest = [...this.runs.keys()].sort((a, b) => b - a).slice(0, RUNS_KEPT_MAX / 2);
        const kept = new Set([...newest, ...this.open.map((run) => run.id)]);
        this.runs = new Map([...this.runs].filter(([id]) => kept.has(id)));
    }
}

export const lab = new Lab();

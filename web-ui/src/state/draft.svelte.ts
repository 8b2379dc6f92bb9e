// A file of the lab that is edited: its text as it would be saved, the steps that led there, and what the engine says of it.
//
// The engine edits the bytes and checks them; here is kept what a person did. A step is what it changed of the text, so undoing it brings back
// the very bytes, also after a save. Each draft stays while the browser's page lives, wherever one goes in it, and in the browser's storage
// until it is saved: what was typed is not lost by a reload. What it is a draft of (a project, a test configuration) is a `Paper`.

import type { Schemas } from '../api/client';
import { Problem, problemOf } from '../api/problem';
import { done, spliceOf, undone, type Splice } from '../text/splice';
import { FlatTree } from '../tree/tree';
import { deeds } from './deeds.svelte';
import { keysAfter, waysOf, written, type Moved, type Way } from './ways';

/** What the engine says of any item of a file. */
export type Base = { kind: string; depth: number; name: string; line: number };

/** An item with where it is. */
export type Placed<I extends Base = Base> = I & { readonly key: string; readonly way: Way };

/** What the engine says of a draft. */
export type Edited<I extends Base> = {
    file: string;
    xml: string;
    version: string;
    about: Way[];
    items?: I[] | null | undefined;
    problems: Schemas['ItemProblem'][];
    good: boolean;
    /** Whether there is such a file; where the engine does not say, there is. */
    exists?: boolean;
    /** How many copies its iterators make of a test, all taken together; where the engine does not say, it has none. */
    copies?: number;
};

/** What a draft is a draft of, and how the engine is asked about it. */
export type Paper<I extends Base, C> = {
    /** What nothing else is called: `project nightly`. */
    readonly name: string;
    /** Where the browser keeps what was not saved of it. */
    readonly place: string;
    /** Where its text is. */
    readonly address: string;
    /** Whether what is not saved is kept in the browser's storage, too; where nothing is said it is. */
    readonly isKept?: boolean;
    edit(body: { xml?: string; changes?: C[] }): Promise<Edited<I>>;
    put(xml: string, seen: Record<string, string>): Promise<{ version: string }>;
};

/** Something that was done, and can be undone. */
type Step = { name: string; splice: Splice; before: readonly string[]; after: readonly string[] };

/** What stands on the engine's disk, as far as it is known. */
type Saved = { text: string; version: string; isNew?: boolean };

/** Somebody else has saved meanwhile; without a text the file is gone. */
export type Conflict = { theirs: Saved | undefined };

/** Steps that can be undone. */
const STEPS_MAX = 100;
/** A longer draft is not kept in the browser's storage. */
const STORED_MAX = 1_000_000;
/** How often what no engine has answered is sent again. */
const AGAIN_MILLIS = 1_000;
/** How many times: after five minutes of it, it is told as not done. */
const AGAIN_MAX = 300;

/** A step that is asked for. */
type Asking<I extends Base, C> = {
    xml: string;
    changes: C[];
    /** The text that it was made of: it is refused where another one stands by then. */
    madeOf?: string | undefined;
    /** The text is made in its turn. */
    make?: (edited: Edited<I>) => string | undefined;
};

const NOTHING: Moved = { gone: [], came: [], same: false };

export class Draft<I extends Base = Base, C = unknown> {
    /** What the engine says of the text as it is now. */
    edited = $state.raw<Edited<I>>();
    problem = $state.raw<Problem>();
    conflict = $state.raw<Conflict>();
    /** Somebody has saved it while there are changes here. */
    news = $state.raw<{ by: string }>();
    /** Steps, of which those up to `done` have been done and not undone. */
    steps = $state.raw<readonly Step[]>([]);
    done = $state(0);
    /** What was done last waits for an engine that answers. */
    isHeldUp = $state(false);
    #saved = $state.raw<Saved>({ text: '', version: '' });
    #keys = $state.raw<readonly string[]>([]);
    #made = 0;
    /** One after the other: each begins with what the one before has led to. */
    #queue: Promise<unknown> = Promise.resolve();

    readonly text = $derived(this.edited?.xml ?? '');
    readonly isDirty = $derived(this.edited !== undefined && this.text !== this.#saved.text);
    readonly items: readonly Placed<I>[] = $derived.by(() => {
        const items = this.edited?.items ?? [];
        const ways = waysOf(items.map(({ depth }) => depth));
        return items.map((item, at) => ({ ...item, key: this.#keys[at] ?? '', way: ways[at] ?? [] }));
    });
    readonly tree: FlatTree<Placed<I>> = $derived(
        FlatTree.ordered(this.items, { id: ({ key }) => key, depth: ({ depth }) => depth }),
    );

    constructor(readonly paper: Paper<I, C>) {}

    get saved(): Saved {
        return this.#saved;
    }

    /** What Undo would undo, and Redo do again. */
    get undoes(): string | undefined {
        return this.steps[this.done - 1]?.name;
    }

    get redoes(): string | undefined {
        return this.steps[this.done]?.name;
    }

    /** Reads the file, and takes up what was not saved of it. */
    open(): Promise<void> {
        return this.#inTurn(async () => {
            try {
                const edited = await this.#ask({});
                this.#saved = {
                    text: edited.xml,
                    version: edited.version,
                    ...(edited.exists === false ? { isNew: true } : {}),
                };
                this.#show(edited, undefined);
                this.problem = undefined;
                await this.#takeUp();
            } catch (thrown) {
                this.problem = problemOf(thrown);
            }
        });
    }

    /** Makes changes as one step. `moved` says what becomes of the items. Answers where what it was about is now, or nothing where it was refused. */
    change(name: string, changes: C[], moved?: (about: Way[]) => Moved): Promise<Way[] | undefined> {
        // It is about what stands there before the one that waits; and who sees nothing happen presses twice.
        if (this.isHeldUp) {
            const why = new Problem('unreachable', 'the change before it waits for the engine');
            deeds.refuse(`“${name}” was not done`, why);
            return Promise.resolve(undefined);
        }
        return this.#step(name, { xml: this.text, changes }, moved ?? (() => NOTHING));
    }

    /** Another text as one step; one that goes on from the step before with the same name is part of it. */
    replace(name: string, text: string): Promise<Way[] | undefined> {
        return this.#step(name, { xml: text, changes: [] }, undefined);
    }

    /** Another text as one step, made in its turn of what stands there by then; where it can be made of that. */
    amend(name: string, make: (edited: Edited<I>) => string | undefined): Promise<Way[] | undefined> {
        return this.#step(name, { xml: this.text, changes: [], make }, undefined);
    }

    undo(): Promise<void> {
        return this.#inTurn(async () => {
            const step = this.steps[this.done - 1];
            if (step && (await this.#go(undone(this.text, step.splice), step.before))) this.done -= 1;
            this.#store();
        });
    }

    redo(): Promise<void> {
        return this.#inTurn(async () => {
            const step = this.steps[this.done];
            if (step && (await this.#go(done(this.text, step.splice), step.after))) this.done += 1;
            this.#store();
        });
    }

    /** Writes the text to its file, if nobody else has meanwhile. Answers whether it was written. */
    save(): Promise<boolean> {
        return this.#inTurn(async () => {
            const text = this.text;
            const isGone = this.conflict !== undefined && this.conflict.theirs === undefined;
            const seen: Record<string, string> =
                isGone || this.#saved.isNew
                    ? { 'If-None-Match': '*' }
                    : { 'If-Match': `"${this.#saved.version}"` };
            try {
                const { version } = await this.paper.put(text, seen);
                this.#saved = { text, version };
                [this.conflict, this.news] = [undefined, undefined];
                this.#store();
                return true;
            } catch (thrown) {
                if (['changed', 'already_exists'].includes(problemOf(thrown).code))
                    await this.#lookAtTheirs();
                else deeds.refuse(`${this.edited?.file ?? this.paper.name} was not saved`, thrown);
                return false;
            }
        });
    }

    /** Looks whether somebody else has saved: what is unchanged here is simply theirs. */
    look(): Promise<void> {
        return this.#inTurn(async () => {
            if (await this.#isAnother()) await this.#lookAtTheirs();
        });
    }

    /**
     * Somebody has saved it. What is unchanged here is theirs at once; beside changes it is told, and a person goes on with what they do until
     * they save, or want to see it.
     */
    hear(by: string): Promise<void> {
        return this.#inTurn(async () => {
            if (this.conflict !== undefined || !(await this.#isAnother())) return;
            if (this.isDirty) this.news = { by };
            else await this.#lookAtTheirs(by);
        });
    }

    /** Whether the file is another one than was read; not where no engine answers, which the page says by itself. */
    async #isAnother(): Promise<boolean> {
        if (this.edited === undefined) return false;
        const known = this.conflict?.theirs?.version ?? this.#saved.version;
        try {
            const headers = { 'If-None-Match': `"${known}"` };
            const answer = await fetch(this.paper.address, { headers, method: 'GET' });
            // Whoever made it meanwhile made it as empty as it is here.
            if (answer.status === 304) return this.#saved.isNew === true;
            return answer.ok || (answer.status === 404 && !this.#saved.isNew);
        } catch {
            return false;
        }
    }

    /** Takes a text that has what somebody else saved in it: from now on it is theirs that would be written over. */
    settle(name: string, text: string): Promise<Way[] | undefined> {
        const theirs = this.conflict?.theirs;
        if (theirs === undefined) return Promise.resolve(undefined);
        return this.#step(name, { xml: text, changes: [], madeOf: this.text }, undefined, () => {
            this.#saved = theirs;
            this.conflict = undefined;
        });
    }

    /** The item at a way. */
    at(way: Way): Placed<I> | undefined {
        const wanted = written(way);
        return this.items.find((item) => written(item.way) === wanted);
    }

    #inTurn<T>(act: () => Promise<T>): Promise<T> {
        const turn = this.#queue.then(act);
        this.#queue = turn.catch(() => undefined);
        return turn;
    }

    #ask(body: { xml?: string; changes?: C[] }): Promise<Edited<I>> {
        return this.paper.edit(body);
    }

    /**
     * The same of what a person did: where no engine answers it is kept, and sent again until one does. Nothing is written by it, so it is all one
     * whether the engine that went had taken it.
     */
    async #askAgain(body: { xml: string; changes?: C[] }): Promise<Edited<I>> {
        try {
            for (let times = 0; ; times += 1) {
                try {
                    return await this.#ask(body);
                } catch (thrown) {
                    const isAway = ['unreachable', 'unavailable'].includes(problemOf(thrown).code);
                    if (!isAway || times === AGAIN_MAX) throw thrown;
                    this.isHeldUp = true;
                    await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLIS));
                }
            }
        } finally {
            this.isHeldUp = false;
        }
    }

    #step(
        name: string,
        { xml, changes, madeOf, make }: Asking<I, C>,
        moved: ((about: Way[]) => Moved) | undefined,
        then: () => void = () => undefined,
    ): Promise<Way[] | undefined> {
        return this.#inTurn(async () => {
            const [before, keys] = [this.text, this.#keys];
            try {
                if (madeOf !== undefined && madeOf !== before)
                    throw new Problem('changed', 'the text is another one by now');
                const made = this.edited && make ? make(this.edited) : xml;
                if (made === undefined) throw new Problem('changed', 'it is not wrong any more');
                // What waited for its turn changes what is there now.
                const edited = await this.#askAgain({ xml: moved ? before : made, changes });
                then();
                if (edited.xml === before) {
                    this.#store();
                    return edited.about;
                }
                this.#show(edited, moved?.(edited.about));
                this.#remember(name, before, keys);
                this.#store();
                return edited.about;
            } catch (thrown) {
                deeds.refuse(`“${name}” was not done`, thrown);
                return undefined;
            }
        });
    }

    /** Keeps what led from a text, and the keys it had, to what is shown now. */
    #remember(name: string, before: string, keys: readonly string[]): void {
        const last = this.steps[this.done - 1];
        // Letter by letter is one step.
        const goesOn = last?.name === name && name === EDITED_TEXT;
        const [begin, began] = goesOn ? [undone(before, last.splice), last.before] : [before, keys];
        const step = { name, splice: spliceOf(begin, this.text), before: began, after: this.#keys };
        this.steps = [...this.steps.slice(0, goesOn ? this.done - 1 : this.done), step].slice(-STEPS_MAX);
        this.done = this.steps.length;
    }

    /** Another text of the history. Answers whether the engine has looked at it. */
    async #go(text: string, keys: readonly string[] | undefined): Promise<boolean> {
        try {
            this.#show(await this.#askAgain({ xml: text }), undefined, keys);
            return true;
        } catch (thrown) {
            deeds.refuse('Nothing was undone', thrown);
            return false;
        }
    }

    #show(edited: Edited<I>, moved: Moved | undefined, known?: readonly string[]): void {
        const [before, after] = [this.edited?.items ?? [], edited.items ?? []].map((items) =>
            items.map(({ depth }) => depth),
        ) as [number[], number[]];
        const fresh = (): string => `i${(this.#made += 1)}`;
        if (known?.length === after.length) this.#keys = known;
        else this.#keys = keysAfter(this.#keys, before, after, moved ?? NOTHING, fresh);
        this.edited = edited;
    }

    async #lookAtTheirs(by?: string): Promise<void> {
        this.news = undefined;
        try {
            const { xml, version, exists } = await this.#ask({});
            if (exists === false) {
                if (!this.#saved.isNew) this.conflict = { theirs: undefined };
                return;
            }
            const theirs = { text: xml, version };
            if (version === this.#saved.version) {
                if (this.#saved.isNew) this.#saved = theirs;
                // They took it back.
                this.conflict = undefined;
                return;
            }
            if (this.isDirty && xml !== this.text) {
                this.conflict = { theirs };
                return;
            }
            const wasOld = xml !== this.text;
            this.#saved = theirs;
            this.conflict = undefined;
            if (!wasOld) return;
            const [before, keys] = [this.text, this.#keys];
            this.#show(await this.#ask({ xml }), undefined);
            this.#remember('What somebody else saved', before, keys);
            deeds.tell(
                `${this.edited?.file ?? this.paper.name} was saved by ${by ?? 'somebody else'}; this is what they saved.`,
            );
        } catch (thrown) {
            if (problemOf(thrown).code === 'not_found') this.conflict = { theirs: undefined };
            else throw thrown;
        }
    }

    #store(): void {
        try {
            if (
                this.paper.isKept === false ||
                !this.isDirty ||
                this.text.length + this.#saved.text.length > STORED_MAX
            )
                localStorage.removeItem(this.paper.place);
            else
                localStorage.setItem(
                    this.paper.place,
                    JSON.stringify({ text: this.text, saved: this.#saved }),
                );
        } catch {
            // A full or forbidden storage: the draft lives as long as the page.
        }
    }

    /** Takes up what was not saved before this page was opened. */
    async #takeUp(): Promise<void> {
        const kept = keptAt(this.paper.place);
        if (kept === undefined || kept.text === this.#saved.text) return;
        const theirs = this.#saved;
        const [before, keys] = [this.text, this.#keys];
        this.#show(await this.#ask({ xml: kept.text }), undefined);
        this.#remember('What was not saved', before, keys);
        if (kept.saved.version !== theirs.version) {
            this.#saved = kept.saved;
            this.conflict = { theirs: theirs.isNew ? undefined : theirs };
        }
        deeds.tell(`What you had not saved of ${this.edited?.file ?? 'this file'} is here again.`);
    }
}

/** The name of the step that typing into the text is. */
export const EDITED_TEXT = 'Edit the text';

function keptAt(place: string): { text: string; saved: Saved } | undefined {
    try {
        const kept = JSON.parse(localStorage.getItem(place) ?? 'null') as unknown;
        if (typeof kept !== 'object' || kept === null || !('text' in kept) || !('saved' in kept))
            return undefined;
        return kept as { text: string; saved: Saved };
    } catch {
        return undefined;
    }
}

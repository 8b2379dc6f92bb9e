// A run that is to be started: what its project holds, what is wanted of it, and how it went.

import { api, ask, type Schemas } from '../api/client';
import { problemOf, type Problem } from '../api/problem';

type Checked = Schemas['CheckedProject'];

/** A test of the project; its copies (repeats, iterations, EPs) go together, since they share its ID. */
export type Choice = {
    id: string;
    name: string;
    file: string;
    suite: string;
    copies: number;
    runnable: boolean;
};

export class Start {
    checked = $state.raw<Checked>();
    problem = $state.raw<Problem>();
    /** The IDs of tests that are left out. */
    without = $state.raw<ReadonlySet<string>>(new Set());
    ep = $state('');
    sut = $state('');
    labels = $state('');
    temporary = $state(false);
    fields = $state<Record<string, string>>({});
    /** Why it did not start. */
    refused = $state.raw<Problem>();
    starting = $state(false);

    readonly choices: readonly Choice[] = $derived(choicesOf(this.checked));
    readonly chosen: readonly Choice[] = $derived(this.choices.filter(({ id }) => !this.without.has(id)));
    /** Fields that must have a value and have none. */
    readonly missing = $derived(
        (this.checked?.fields ?? []).filter(({ name, mandatory }) => mandatory && !this.fields[name]?.trim()),
    );

    constructor(readonly project: string) {}

    /** Looks what the project holds. */
    async check(): Promise<void> {
        try {
            const checked = await ask(
                api.POST('/api/v1/projects/check', { body: { project: this.project } }),
            );
            this.checked = checked;
            this.fields = Object.fromEntries(checked.fields.map(({ name, value }) => [name, value]));
            this.problem = undefined;
        } catch (thrown) {
            this.problem = problemOf(thrown);
        }
    }

    turn(ids: readonly string[], wanted: boolean): void {
        const without = new Set(this.without);
        for (const id of ids) {
            if (wanted) without.delete(id);
            else without.add(id);
        }
        this.without = without;
    }

    /** Starts it. Answers the run, with what its project may not have meant. */
    async go(): Promise<Schemas['Submitted'] | undefined> {
        this.starting = true;
        this.refused = undefined;
        try {
            const given = (this.checked?.fields ?? []).filter(
                ({ name, value }) => (this.fields[name] ?? '') !== value,
            );
            return await ask(
                api.POST('/api/v1/runs', {
                    body: {
                        project: this.project,
                        temporary: this.temporary,
                        only: this.without.size === 0 ? [] : this.chosen.map(({ id }) => id),
                        ...(this.ep ? { ep: this.ep } : {}),
                        ...(this.sut ? { sut: this.sut } : {}),
                        fields: Object.fromEntries(given.map(({ name }) => [name, this.fields[name] ?? ''])),
                        labels: labelsOf(this.labels),
                        // A button that is pressed twice starts one run.
                        idempotency_key: this.#key,
                    },
                }),
            );
        } catch (thrown) {
            this.refused = problemOf(thrown);
            // What was refused was not started: the next try is another one.
            if (this.refused.code !== 'unreachable')
                this.#key = crypto.randomUUID?.() ?? String(Math.random());
            return undefined;
        } finally {
            this.starting = false;
        }
    }

    #key: string = crypto.randomUUID?.() ?? String(Math.random());
}

/** Labels as one writes them: `site=cluj rack=3`. */
export function labelsOf(text: string): Record<string, string> {
    const words = text.split(/[\s,]+/).filter(Boolean);
    return Object.fromEntries(
        words.map((word) => [
            word.split('=')[0] ?? word,
            word.includes('=') ? word.slice(word.indexOf('=') + 1) : '',
        ]),
    );
}

function choicesOf(checked: Checked | undefined): Choice[] {
    if (!checked) return [];
    const path = (index: number): string => {
        const suite = checked.preview[index];
        if (!suite) return '';
        return typeof suite.parent === 'number' ? `${path(suite.parent)} / ${suite.name}` : suite.name;
    };
    const byId = new Map<string, Choice>();
    for (const { id, name, file, suite, runnable } of checked.preview_tests) {
        const known = byId.get(id);
        if (known) known.copies += 1;
        else
            byId.set(id, {
                id,
                name: name.replace(/ \[.*\]$/, ''),
                file,
                suite: path(suite),
                copies: 1,
                runnable,
            });
    }
    return [...byId.values()];
}

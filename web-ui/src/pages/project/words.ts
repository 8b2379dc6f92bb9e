// The words for what stands in a project: fields and properties with what they mean, and items in sentences.

import type { Item } from '../../state/drafts.svelte';

/** How a value is shown and changed. */
export type Kind = 'text' | 'flag' | readonly string[];

/** A field of an item, or a property that says something to the engine. */
export type Field = {
    readonly name: string;
    readonly label: string;
    readonly kind: Kind;
    /** What it is where nothing is said. */
    readonly usual?: string;
    readonly help: string;
    /** A property, not an element. */
    readonly isPair?: true;
};

const TIMEOUT: Field = {
    name: 'Timeout',
    label: 'time limit',
    kind: 'text',
    help: 'seconds, or 90s, 5m, 2h; the limit of the lab without it',
};
const REPEAT: Field = { name: 'Repeat', label: 'repeat', kind: 'text', usual: '1', help: 'how many times' };
const ID: Field = { name: 'ID', label: 'ID', kind: 'text', help: 'by which others depend on it' };
const NEEDS: Field = {
    name: 'Needs',
    label: 'needs',
    kind: 'text',
    help: 'what it takes of the lab, whichever fits: dut: kind=router, ports>=4; 2x kind=phone',
};
const LIBRARIES: Field = {
    name: 'libraries',
    label: 'libraries',
    kind: 'text',
    help: 'files and folders of libs/, with ; between them',
};

export const FIELDS: Readonly<Record<Item['kind'], readonly Field[]>> = {
    project: [
        {
            name: 'stoponfail',
            label: 'stop on fail',
            kind: 'flag',
            help: 'a failure skips what follows; optional tests do not count',
        },
        { name: 'ScriptPre', label: 'script before', kind: 'text', help: 'runs before the first test' },
        { name: 'ScriptPost', label: 'script after', kind: 'text', help: 'runs after the last test' },
        {
            name: 'PrePostMandatory',
            label: 'scripts must pass',
            kind: 'flag',
            help: 'a script before that fails cancels the run; one after keeps results out of the database',
        },
        LIBRARIES,
        {
            name: 'DownloadLibraries',
            label: 'libraries come',
            kind: ['flat', 'deep'],
            usual: 'flat',
            help: 'side by side, or with their folders',
        },
        {
            name: 'dbautosave',
            label: 'save results',
            kind: ['save', 'ask', 'nosave'],
            usual: 'nosave',
            help: 'into the database of the lab',
        },
        { name: 'tcdelay', label: 'delay', kind: 'text', help: 'between two tests: seconds, or 500ms, 2m' },
        TIMEOUT,
        {
            name: 'OnEpLost',
            label: 'when an EP is lost',
            kind: ['wait_then_abort', 'wait', 'reassign', 'abort'],
            usual: 'wait_then_abort',
            help: 'what becomes of its tests',
        },
        NEEDS,
    ],
    suite: [
        { name: 'tsName', label: 'name', kind: 'text', help: 'as people know it' },
        {
            name: 'SutName',
            label: 'SUT',
            kind: 'text',
            help: 'name(user) or name(system); several with ; between them',
        },
        { name: 'EpId', label: 'EP', kind: 'text', help: 'where it runs; several with ; between them' },
        { name: 'Labels', label: 'labels', kind: 'text', help: 'what an EP must have: rack=3;site=cluj' },
        NEEDS,
        REPEAT,
        TIMEOUT,
        LIBRARIES,
        {
            name: 'PanicDetect',
            label: 'watch for panics',
            kind: 'flag',
            help: 'its output is watched for the panic patterns of who runs it',
        },
        ID,
    ],
    test: [
        { name: 'tcName', label: 'file', kind: 'text', help: 'as it is called below tests/' },
        {
            name: 'Running',
            label: 'in this run',
            kind: 'flag',
            usual: 'true',
            isPair: true,
            help: 'otherwise it is left out of runs',
        },
        {
            name: 'Runnable',
            label: 'runnable',
            kind: 'flag',
            usual: 'true',
            isPair: true,
            help: 'otherwise it is listed and skipped',
        },
        {
            name: 'Optional',
            label: 'optional',
            kind: 'flag',
            isPair: true,
            help: 'its failure stops nothing',
        },
        {
            name: 'Prerequisite',
            label: 'prerequisite',
            kind: 'flag',
            isPair: true,
            help: 'if it does not pass, its suite is failed',
        },
        { name: 'setup_file', label: 'setup', kind: 'flag', isPair: true, help: 'prepares its suite' },
        {
            name: 'teardown_file',
            label: 'teardown',
            kind: 'flag',
            isPair: true,
            help: 'cleans up after its suite, whatever happened',
        },
        {
            name: 'param',
            label: 'parameters',
            kind: 'text',
            isPair: true,
            help: 'what the test is called with, with , between them',
        },
        REPEAT,
        TIMEOUT,
        {
            name: 'iterationSave',
            label: 'save iterations',
            kind: ['all', 'failed'],
            usual: 'all',
            help: 'which go into the database',
        },
        ID,
    ],
};

/** Properties that have a place of their own on the page. */
export const OWN_PAIRS: ReadonlySet<string> = new Set(
    FIELDS.test.filter(({ isPair }) => isPair).map(({ name }) => name),
);

/** What people call a field. */
export function labelOf(name: string): string {
    const all = [...FIELDS.test, ...FIELDS.suite, ...FIELDS.project];
    return all.find((field) => field.name === name)?.label ?? name;
}

/** Items in a sentence: `test a.py`, `suite Smoke`, `12 tests`, `3 items`. */
export function of(items: readonly Pick<Item, 'kind' | 'name'>[]): string {
    const first = items[0];
    if (first === undefined) return 'nothing';
    if (first.kind === 'project') return 'the project';
    if (items.length === 1) return `${first.kind} ${first.name}`;
    const isAlike = items.every(({ kind }) => kind === first.kind);
    return isAlike ? `${items.length} ${first.kind}s` : `${items.length} items`;
}

/** What several items have in common: their value, or none where they differ. */
export function common(values: readonly (string | undefined)[]): { value: string; isMixed: boolean } {
    const [first = '', ...others] = values.map((value) => value ?? '');
    return others.every((value) => value === first)
        ? { value: first, isMixed: false }
        : { value: '', isMixed: true };
}

/** Whether a text says yes, as the engine reads it. */
export const isTrue = (text: string): boolean => /^true$/i.test(text.trim());

// What becomes of a draft when the engine goes away, and when its file is not what it was.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Problem } from '../api/problem';
import {
    draftOf,
    forgetDraft,
    isUnsaved,
    renameDraft,
    type Change,
    type ProjectDraft,
} from './drafts.svelte';

type Body = { xml?: string; changes?: Change[] };

/** An engine with one file: the version of a text is the text, and each change is a `+` behind it. */
const engine = vi.hoisted(() => ({ file: '' as string | undefined, isAway: false }));
/** What a person was told. */
const told = vi.hoisted((): string[] => []);

vi.mock('./deeds.svelte', () => ({
    deeds: {
        refuse: (what: string, why: Error) => told.push(`${what}: ${why.message}`),
        tell: (text: string) => told.push(text),
    },
}));
vi.mock('./session.svelte', () => ({ session: { user: 'ada' } }));
vi.mock('../api/client', () => {
    const answering = (): string | undefined => {
        if (engine.isAway) throw new Problem('unreachable', 'the engine does not answer');
        return engine.file;
    };
    const edit = ({ xml = answering(), changes = [] }: Body) => {
        answering();
        if (xml === undefined) throw new Problem('not_found', 'there is no such project');
        const text = xml + changes.map(() => '+').join('');
        return { file: 'projects/p.xml', xml: text, version: text, about: [[0]], items: [], problems: [] };
    };
    const save = ({ xml = '' }: Body, seen: Record<string, string>) => {
        const tag = answering() === undefined ? undefined : `"${engine.file}"`;
        const fits = seen['If-None-Match'] === '*' ? tag === undefined : seen['If-Match'] === tag;
        if (!fits) throw new Problem('changed', 'somebody else saved it');
        engine.file = xml;
        return { version: xml };
    };
    type Put = { body: Body; headers: Record<string, string> };
    return {
        api: {
            POST: async (_: string, { body }: { body: Body }) => edit(body),
            PUT: async (_: string, { body, headers }: Put) => save(body, headers),
        },
        ask: (answer: Promise<unknown>) => answer,
    };
});

beforeEach(() => {
    vi.useFakeTimers();
    [engine.file, engine.isAway] = ['<Root/>', false];
    told.length = 0;
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', {
        getItem: (place: string) => kept.get(place) ?? null,
        setItem: (place: string, text: string) => void kept.set(place, text),
        removeItem: (place: string) => void kept.delete(place),
    });
});
afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
});

const CHANGE: Change = { change: 'set', at: [0], field: 'Repeat', value: '2' };

async function opened(): Promise<ProjectDraft> {
    forgetDraft('p');
    const draft = draftOf('p');
    await draft.open();
    return draft;
}

test('what was on its way when the engine went is sent again; what is chosen meanwhile is refused', async () => {
    const draft = await opened();
    engine.isAway = true;
    const [change, text] = [draft.change('Set repeat', [CHANGE]), draft.replace('Edit the text', '<Root>')];
    await vi.advanceTimersByTimeAsync(5_500);
    expect(draft.isHeldUp).toBe(true);
    expect(await draft.change('Remove test a.py', [CHANGE])).toBeUndefined();
    expect(told).toEqual(['“Remove test a.py” was not done: the change before it waits for the engine']);
    engine.isAway = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect([await change, await text]).toEqual([[[0]], [[0]]]);
    expect(draft.isHeldUp).toBe(false);
    expect(draft.edited?.xml).toBe('<Root>');
    expect(draft.steps.map(({ name }) => name)).toEqual(['Set repeat', 'Edit the text']);
});

test('what was made of a text is not written over another one', async () => {
    const draft = await opened();
    const change = draft.change('Set repeat', [CHANGE]);
    // Made in its turn, of the text that is there by then; where it cannot be made of that, it is refused.
    const remedy = draft.amend('Write Rot', ({ xml }) => xml.replace('Root', 'Rot'));
    expect([await change, await remedy]).toEqual([[[0]], [[0]]]);
    expect(draft.text).toBe('<Rot/>+');
    expect(await draft.amend('Write Rot', () => undefined)).toBeUndefined();
    expect(told).toEqual(['“Write Rot” was not done: it is not wrong any more']);
    expect(draft.text).toBe('<Rot/>+');
});

test('who hears that somebody saved goes on beside changes, and without any has theirs at once', async () => {
    vi.stubGlobal('fetch', async (_: string, { headers }: { headers: Record<string, string> }) => ({
        status: headers['If-None-Match'] === `"${engine.file}"` ? 304 : 200,
        ok: headers['If-None-Match'] !== `"${engine.file}"`,
    }));
    const draft = await opened();
    await draft.hear('bob');
    expect([draft.news, told]).toEqual([undefined, []]);
    engine.file = '<Root>theirs</Root>';
    await draft.hear('bob');
    expect(draft.text).toBe('<Root>theirs</Root>');
    expect(told).toEqual(['projects/p.xml was saved by bob; this is what they saved.']);
    await draft.change('Set repeat', [CHANGE]);
    engine.file = '<Root>more</Root>';
    await draft.hear('bob');
    expect([draft.news, draft.conflict]).toEqual([{ by: 'bob' }, undefined]);
    expect(draft.text).toBe('<Root>theirs</Root>+');
    await draft.look();
    expect([draft.news, draft.conflict?.theirs?.text]).toEqual([undefined, '<Root>more</Root>']);
    // They took it back.
    engine.file = '<Root>theirs</Root>';
    await draft.look();
    expect(draft.conflict).toBeUndefined();
});

test('a change that no engine takes for minutes is told as not done', async () => {
    const draft = await opened();
    engine.isAway = true;
    const change = draft.change('Set repeat', [CHANGE]);
    await vi.advanceTimersByTimeAsync(301_000);
    expect(await change).toBeUndefined();
    expect(draft.isHeldUp).toBe(false);
    expect(told).toEqual(['“Set repeat” was not done: the engine does not answer']);
});

test('nothing is written over unseen; who keeps only their own writes over what they saw', async () => {
    const draft = await opened();
    await draft.change('Set repeat', [CHANGE]);
    engine.file = '<Root>theirs</Root>';
    expect(await draft.save()).toBe(false);
    expect(draft.conflict?.theirs?.text).toBe('<Root>theirs</Root>');
    expect(engine.file).toBe('<Root>theirs</Root>');
    await draft.settle('Keep mine', '<Root/>+');
    expect(draft.conflict).toBeUndefined();
    expect(await draft.save()).toBe(true);
    expect(engine.file).toBe('<Root/>+');
});

test('a file that was deleted meanwhile is saved again as a new one', async () => {
    const draft = await opened();
    await draft.change('Set repeat', [CHANGE]);
    engine.file = undefined;
    expect(await draft.save()).toBe(false);
    expect(draft.conflict).toEqual({ theirs: undefined });
    expect(await draft.save()).toBe(true);
    expect(engine.file).toBe('<Root/>+');
    expect(draft.conflict).toBeUndefined();
    expect(told).toEqual([]);
});

test('what was not saved of a project is taken up under its new name', async () => {
    const draft = draftOf('p');
    await draft.open();
    await draft.change('Set repeat', [CHANGE]);
    expect(isUnsaved('p')).toBe(true);
    renameDraft('p', 'q');
    expect(isUnsaved('p')).toBe(false);
    const renamed = draftOf('q');
    await renamed.open();
    expect(renamed.text).toBe('<Root/>+');
    expect(renamed.conflict).toBeUndefined();
    expect(renamed.undoes).toBe('What was not saved');
    expect(told).toEqual(['What you had not saved of projects/p.xml is here again.']);
});

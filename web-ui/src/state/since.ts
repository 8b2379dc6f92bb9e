// Changes of a project that are said of what the engine answered last: its text is sent when it is opened, and when somebody typed in it, and not
// with each click. Where the engine does not have that answer any more, the text is sent.

import { api, ask, type Schemas } from '../api/client';
import { problemOf } from '../api/problem';
import { done } from '../text/splice';
import type { Edited } from './draft.svelte';

type Item = Schemas['ProjectItem'];
type Body = { xml?: string; changes?: Schemas['ProjectChange'][] };
type Whole = Edited<Item> & { answer?: string | null };

/** How one project is edited. */
export function sinceLast(project: string): (body: Body) => Promise<Edited<Item>> {
    let last: Whole | undefined;
    return async (body) => {
        last = (await since(project, last, body)) ?? (await whole(project, body));
        return last;
    };
}

function whole(project: string, body: Body): Promise<Whole> {
    return ask(api.POST('/api/v1/projects/edit', { body: { project, ...body } }));
}

/** What is different since the last answer; nothing where the change is of another text, or that answer is not kept. */
async function since(project: string, last: Whole | undefined, body: Body): Promise<Whole | undefined> {
    const { xml, changes = [] } = body;
    if (changes.length === 0 || last?.xml !== xml || !last?.answer || !last.items) return undefined;
    try {
        const asked = { project, answer: last.answer, changes };
        return applied(last, await ask(api.POST('/api/v1/projects/edit/since', { body: asked })));
    } catch (thrown) {
        if (problemOf(thrown).code === 'not_found') return undefined;
        throw thrown;
    }
}

/** An answer with what is different in it. */
export function applied(last: Whole, { text, items, ...rest }: Schemas['EditedSince']): Whole {
    const before = last.items ?? [];
    const removed = last.xml.slice(text.at, text.at + text.removed);
    const behind = before.slice(items.at + items.removed);
    return {
        ...rest,
        file: last.file,
        xml: done(last.xml, { at: text.at, removed, added: text.added }),
        items: [
            ...before.slice(0, items.at),
            ...items.added,
            ...(items.lines === 0
                ? behind
                : behind.map((item) => ({ ...item, line: item.line + items.lines }))),
        ],
    };
}

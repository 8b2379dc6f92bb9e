// The drafts that were opened here: of projects, of test configurations, of the global parameters and of test files.

import { api, ask, type Schemas } from '../api/client';
import { Problem } from '../api/problem';
import { Draft, type Base, type Paper, type Placed } from './draft.svelte';
import { session } from './session.svelte';
import { sinceLast } from './since';

export type Change = Schemas['ProjectChange'];
/** The project, a suite or a test, with where it is. */
export type Item = Placed<Schemas['ProjectItem']>;
export type ProjectDraft = Draft<Schemas['ProjectItem'], Change>;

export type ValueChange = Schemas['ValueChange'];
/** A file of named values, a folder or a value, with where it is. */
export type ValueItem = Placed<Schemas['ValueItem']>;
export type ValuesDraft = Draft<Schemas['ValueItem'], ValueChange>;

/** A test file: a text without items. */
export type TextDraft = Draft<Base, never>;

/** Drafts that were opened, by where the browser keeps them. */
const drafts = new Map<string, unknown>();

/** Where the browser keeps what was not saved of something. */
const placeOf = (what: string): string => `jackfield draft ${session.user} ${what}`;

/** The one draft of a paper. It belongs to no page: what is derived in one that does grows stale with the page that made it. */
function opened<I extends Base, C>(paper: Paper<I, C>): Draft<I, C> {
    const known = drafts.get(paper.place) as Draft<I, C> | undefined;
    if (known) return known;
    let draft = new Draft(paper);
    $effect.root(() => {
        draft = new Draft(paper);
    });
    drafts.set(paper.place, draft);
    return draft;
}

export function draftOf(project: string): ProjectDraft {
    return opened<Schemas['ProjectItem'], Change>({
        name: `project ${project}`,
        place: placeOf(project),
        address: `/api/v1/projects/${encodeURIComponent(project)}`,
        edit: sinceLast(project),
        put: (xml, headers) =>
            ask(
                api.PUT('/api/v1/projects/{project}', {
                    params: { path: { project } },
                    body: { xml, unfinished: true },
                    headers,
                }),
            ),
    });
}

export function configDraftOf(config: string): ValuesDraft {
    return opened<Schemas['ValueItem'], ValueChange>({
        name: `test configuration ${config}`,
        // No project has a name with a slash in it.
        place: placeOf(`configs/${config}`),
        address: `/api/v1/test-configs/${encodeURIComponent(config)}`,
        edit: (body) => ask(api.POST('/api/v1/test-configs/edit', { body: { config, ...body } })),
        put: (xml, headers) =>
            ask(
                api.PUT('/api/v1/test-configs/{config}', {
                    params: { path: { config } },
                    body: { xml, unfinished: true },
                    headers,
                }),
            ),
    });
}

export function globalsDraft(): ValuesDraft {
    return opened<Schemas['ValueItem'], ValueChange>({
        name: 'the global parameters',
        place: placeOf('/globals'),
        address: '/api/v1/globals',
        edit: (body) => ask(api.POST('/api/v1/globals/edit', { body })),
        put: (xml, headers) => ask(api.PUT('/api/v1/globals', { body: { xml, unfinished: true }, headers })),
    });
}

export type BindingChange = Schemas['BindingChange'];
export type BindingsDraft = Draft<Schemas['BindingItem'], BindingChange>;

export function bindingsDraft(): BindingsDraft {
    return opened<Schemas['BindingItem'], BindingChange>({
        name: 'the bindings',
        place: placeOf('/bindings'),
        address: '/api/v1/bindings',
        edit: (body) => ask(api.POST('/api/v1/bindings/edit', { body })),
        put: (xml, headers) => ask(api.PUT('/api/v1/bindings', { body: { xml, unfinished: true }, headers })),
    });
}

/** A file of settings: a text without items, whose secrets are stars. */
export function settingDraftOf(file: string): TextDraft {
    const address = '/api/v1/settings/files/{file}';
    return opened<Base, never>({
        name: `setting ${file}`,
        place: placeOf(`/settings/${file}`),
        // What is typed may be a password: it is kept nowhere but here.
        isKept: false,
        address: `/api/v1/settings/files/${file.split('/').map(encodeURIComponent).join('/')}`,
        edit: async ({ xml }) => {
            const body = { file, ...(xml === undefined ? {} : { text: xml }) };
            const { text, problems, ...rest } = await ask(api.POST('/api/v1/settings/edit', { body }));
            const name = rest.file.split('/').at(-1) ?? '';
            return {
                ...rest,
                xml: text,
                about: [],
                problems: problems.map((each) => ({ ...each, file: name })),
            };
        },
        put: (text, headers) =>
            ask(api.PUT(address, { params: { path: { file } }, body: { text }, headers })),
    });
}

export function testDraftOf(file: string): TextDraft {
    const params = { path: { file } };
    const known = (name: string, xml: string, version: string) => ({
        file: name,
        xml,
        version,
        about: [],
        problems: [],
        good: true,
    });
    let name = `tests/${file}`;
    return opened<Base, never>({
        name: `test file ${file}`,
        place: placeOf(`tests/${file}`),
        address: `/api/v1/test-texts/${encodeURIComponent(file)}`,
        // It is what it is: the engine has nothing to say of a text that is not saved.
        edit: async ({ xml }) => {
            if (xml !== undefined) return known(name, xml, '');
            name = (await ask(api.GET('/api/v1/test-files/{file}', { params }))).file;
            return known(name, ...(await textOf(file)));
        },
        put: (xml, headers) => putTest(file, xml, headers),
    });
}

/** Writes a test file: a text, or whatever was uploaded. */
export function putTest(
    file: string,
    content: string | Blob,
    headers: Record<string, string>,
): Promise<Schemas['PutTest']> {
    return ask(
        api.PUT('/api/v1/test-texts/{file}', {
            params: { path: { file } },
            body: content as never,
            bodySerializer: (body: unknown) => body as BodyInit,
            headers: { ...headers, 'Content-Type': 'application/octet-stream' },
        }),
    );
}

/** What stands in a test file, exactly, and the version of that. */
async function textOf(file: string): Promise<[text: string, version: string]> {
    const answering = api.GET('/api/v1/test-texts/{file}', {
        params: { path: { file } },
        parseAs: 'arrayBuffer',
    });
    const bytes = (await ask(answering)) as unknown as ArrayBuffer;
    const version = (await answering).response.headers.get('etag')?.replace(/^(W\/)?"|"$/g, '') ?? '';
    try {
        return [new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), version];
    } catch {
        throw new Problem('bad_file', 'it is no text in UTF-8, so it is not shown here');
    }
}

/** A project that has another name: what was not saved of it is taken up under that. */
export function renameDraft(project: string, to: string): void {
    try {
        const kept = localStorage.getItem(placeOf(project));
        if (kept !== null) localStorage.setItem(placeOf(to), kept);
    } catch {
        // Nothing was kept there.
    }
    forgetDraft(project);
}

/** A project that is gone has no draft any more; of a test configuration say `configs/NAME`. */
export function forgetDraft(what: string): void {
    drafts.delete(placeOf(what));
    try {
        localStorage.removeItem(placeOf(what));
    } catch {
        // Nothing was kept there.
    }
}

/** Whether somebody has changed a project here and not saved it; of a test configuration say `configs/NAME`. */
export function isUnsaved(what: string): boolean {
    const draft = drafts.get(placeOf(what));
    return draft instanceof Draft && draft.isDirty;
}

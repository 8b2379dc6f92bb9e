// The test files of the lab: found by name, by what they say of themselves and by what stands in them; made, uploaded and deleted.

import { api, ask, type Schemas } from '../api/client';
import { refusalOf, type Problem } from '../api/problem';
import { counted, firstOf } from '../text/words';
import { Asked } from './asked.svelte';
import { deeds } from './deeds.svelte';
import { forgetDraft, isUnsaved, putTest } from './drafts.svelte';
import { Gone } from './gone.svelte';

export type FoundFile = Schemas['FoundFile'];

export const goneTests = new Gone('Test file');

/** What is looked for, and what was found. */
export class Find extends Asked<Schemas['FoundFiles']> {
    constructor(
        readonly words: string,
        readonly content: boolean,
    ) {
        super(() => ask(api.GET('/api/v1/test-finds', { params: { query: { words, content } } })));
    }
}

/** Makes a test file that is not there yet. Answers why not. */
export function makeTest(file: string, content: string | Blob): Promise<Problem | undefined> {
    return refusalOf(() => putTest(file, content, { 'If-None-Match': '*' }));
}

/** Puts files from somebody's machine into a folder of tests; what is there already is replaced when they say so. */
export async function upload(folder: string, files: readonly File[], done: () => void): Promise<void> {
    const there: { name: string; file: File }[] = [];
    let count = 0;
    for (const file of files) {
        const name = folder === '' ? file.name : `${folder}/${file.name}`;
        const problem = await makeTest(name, file);
        if (problem === undefined) count += 1;
        else if (problem.code === 'already_exists') there.push({ name, file });
        else deeds.refuse(`${name} was not uploaded`, problem);
    }
    if (count > 0) deeds.tell(`${counted(count, 'file was', 'files were')} uploaded.`);
    done();
    if (there.length === 0) return;
    deeds.confirm({
        title:
            there.length === 1 ? `Replace ${there[0]?.name ?? ''}?` : `Replace ${there.length} test files?`,
        what: [
            ...there.slice(0, 8).map(({ name }) => `tests/${name} is there already.`),
            ...(there.length > 8 ? [`and ${there.length - 8} more`] : []),
            'Runs that go on keep the content that they began with.',
        ],
        yes: 'Replace',
        danger: true,
        act: async () => {
            for (const { name, file } of there) await putTest(name, file, { 'If-Match': '*' });
            done();
        },
    });
}

/** Deletes a test file, after having told who uses it. */
export async function deleteTest(file: string, done: () => void): Promise<void> {
    await deeds.try(`${file} was not deleted`, async () => {
        const params = { path: { file } };
        const { used_by } = await ask(api.GET('/api/v1/test-files/{file}', { params }));
        const users = Object.keys(used_by ?? {});
        deeds.confirm({
            title: `Delete test file ${file}?`,
            what: [
                users.length === 0 ? 'No project has it.' : `${firstOf(users)} will skip its tests.`,
                ...(isUnsaved(`tests/${file}`) ? ['What you have not saved of it is lost.'] : []),
                'A text can be had back as long as the message about it stands.',
            ],
            yes: 'Delete it',
            danger: true,
            act: async () => {
                const answering = api.GET('/api/v1/test-texts/{file}', { params, parseAs: 'arrayBuffer' });
                const bytes = (await ask(answering)) as unknown as ArrayBuffer;
                const version = (await answering).response.headers.get('etag') ?? '*';
                const headers = { 'If-Match': version };
                await ask(api.DELETE('/api/v1/test-texts/{file}', { params, headers }));
                forgetDraft(`tests/${file}`);
                keep(file, bytes);
                done();
            },
        });
    });
}

/** Keeps a text that was deleted. */
function keep(file: string, bytes: ArrayBuffer): void {
    try {
        goneTests.add(file, new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch {
        // What is no text is not kept in a page.
    }
}

// The test configurations of the lab, with who uses each: what is listed, picked in projects, and done to one as a whole.

import { api, ask, type Schemas } from '../api/client';
import { Problem, problemOf, refusalOf } from '../api/problem';
import { counted, firstOf } from '../text/words';
import { Asked } from './asked.svelte';
import { deeds } from './deeds.svelte';
import { forgetDraft, isUnsaved } from './drafts.svelte';
import { Gone } from './gone.svelte';

export type ConfigRow = Schemas['TestConfigRow'];

/** The name in the list of what a project may also call `/x.xml` or `x.xml`. */
export const listed = (name: string): string => name.replace(/^\/+/, '').replace(/\.xml$/, '');

/** What one makes of a test: `2 iterators, 6 copies`. */
export function makes({ iterators, copies }: Pick<ConfigRow, 'iterators' | 'copies'>): string {
    if (iterators === 0) return 'no iterator';
    return `${counted(iterators, 'iterator')}, ${counted(copies, 'copy', 'copies')}`;
}

/** What a new file of named values holds: nothing, in the hand of a person. */
export const EMPTY_VALUES = '<?xml version="1.0" encoding="UTF-8"?>\n<root>\n</root>\n';

class ConfigList extends Asked<readonly ConfigRow[]> {
    readonly gone = new Gone('Test configuration');

    constructor() {
        super(async () => (await ask(api.GET('/api/v1/test-configs'))).items);
    }

    /** Makes a test configuration of this text. Answers why not. */
    make(config: string, xml: string): Promise<Problem | undefined> {
        return refusalOf(async () => {
            await ask(
                api.PUT('/api/v1/test-configs/{config}', {
                    params: { path: { config } },
                    body: { xml, unfinished: true },
                    headers: { 'If-None-Match': '*' },
                }),
            );
            await this.look();
        });
    }

    /** Makes a copy. Answers why not. */
    async copy(config: string, to: string): Promise<Problem | undefined> {
        try {
            return await this.make(to, (await asSaved(config)).xml);
        } catch (thrown) {
            return problemOf(thrown);
        }
    }

    /** Deletes one, after having told who uses it. */
    delete({ name, used_by }: ConfigRow): void {
        const users = Object.keys(used_by);
        deeds.confirm({
            title: `Delete test configuration ${name}?`,
            what: [
                users.length === 0
                    ? 'No project uses it.'
                    : `It is used by ${firstOf(users)}: runs of them will not start any more.`,
                ...(isUnsaved(`configs/${name}`) ? ['What you have not saved of it is lost.'] : []),
                'You can have it back as long as the message about it stands.',
            ],
            yes: 'Delete it',
            danger: true,
            act: async () => {
                const { xml, version } = await asSaved(name);
                await ask(
                    api.DELETE('/api/v1/test-configs/{config}', {
                        params: { path: { config: name } },
                        headers: { 'If-Match': `"${version}"` },
                    }),
                );
                forgetDraft(`configs/${name}`);
                this.gone.add(name, xml);
                await this.look();
            },
        });
    }
}

/** A file with its text, exactly: an answer that is read as text would lose its byte order mark. */
async function asSaved(config: string): Promise<Schemas['EditedValues']> {
    const saved = await ask(api.POST('/api/v1/test-configs/edit', { body: { config } }));
    // Of one that is not there the engine has an empty text.
    if (!saved.exists) throw new Problem('not_found', `there is no test configuration ${config} any more`);
    return saved;
}

export const configs = new ConfigList();

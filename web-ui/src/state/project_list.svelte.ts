// The projects of the lab, with what became of them lately: what is listed, and what one does to a project as a whole.

import { api, ask, type Schemas } from '../api/client';
import { problemOf, refusalOf, type Problem } from '../api/problem';
import { deeds } from './deeds.svelte';
import { forgetDraft, isUnsaved, renameDraft } from './drafts.svelte';
import { Gone } from './gone.svelte';
import { lab, type Run } from './lab.svelte';
import { session } from './session.svelte';

/** Runs of each that are shown as its trend. */
const TREND = 8;

/** A project with its newest runs, the newest first. */
export type Project = { name: string; runs: readonly Run[] };

/** What a new project holds: nothing, in the hand of a person. */
export const EMPTY = '<?xml version="1.0" encoding="UTF-8"?>\n<Root>\n</Root>\n';

/** Those that were deleted here, on whichever page of the list. */
export const gone = new Gone('Project');

export class ProjectList {
    names = $state.raw<readonly string[]>();
    problem = $state.raw<Problem>();
    #results = $state.raw<readonly Schemas['ProjectResult'][]>([]);

    /** What runs now is newer than what was asked for. */
    readonly projects: readonly Project[] = $derived.by(() => {
        const known = new Map(this.#results.map(({ project, runs }) => [project, runs]));
        const fresh = [...lab.runs.values()];
        return (this.names ?? []).map((name) => {
            const runs = new Map((known.get(name) ?? []).map((run) => [run.id, run as Run]));
            for (const run of fresh) if (run.project === name) runs.set(run.id, run);
            const newest = [...runs.values()].sort((one, other) => other.id - one.id);
            return { name, runs: newest.filter(({ id }) => !lab.deleted.has(id)).slice(0, TREND) };
        });
    });

    async look(): Promise<void> {
        try {
            const [list, results] = await Promise.all([
                ask(api.GET('/api/v1/projects')),
                // Who may see no runs sees the projects all the same.
                session.mayWatch
                    ? ask(api.GET('/api/v1/project-results', { params: { query: { each: TREND } } })).catch(
                          () => undefined,
                      )
                    : undefined,
            ]);
            this.names = list.items;
            this.#results = results?.items ?? [];
            this.problem = undefined;
        } catch (thrown) {
            this.problem = problemOf(thrown);
        }
    }

    /** Makes a project of this text. Answers why not. */
    async make(name: string, xml: string): Promise<Problem | undefined> {
        return this.#done(() =>
            ask(
                api.PUT('/api/v1/projects/{project}', {
                    params: { path: { project: name } },
                    body: { xml, unfinished: true },
                    headers: { 'If-None-Match': '*' },
                }),
            ),
        );
    }

    /** Makes a copy. Answers why not. */
    async copy(name: string, to: string): Promise<Problem | undefined> {
        try {
            return await this.make(to, (await asSaved(name)).xml);
        } catch (thrown) {
            return problemOf(thrown);
        }
    }

    async rename(name: string, to: string): Promise<Problem | undefined> {
        const problem = await this.#done(() =>
            ask(api.POST('/api/v1/projects/rename', { body: { project: name, to } })),
        );
        if (problem === undefined) renameDraft(name, to);
        return problem;
    }

    /** Deletes a project, and says how to have it back. */
    delete(name: string, mayMake: boolean): void {
        deeds.confirm({
            title: `Delete project ${name}?`,
            what: [
                'Its file goes from the lab folder. Its runs stay.',
                ...(isUnsaved(name) ? ['What you have not saved of it is lost.'] : []),
                mayMake
                    ? 'You can have it back as long as the message about it stands.'
                    : 'You may not make projects, so you cannot have it back.',
            ],
            yes: 'Delete it',
            danger: true,
            act: async () => {
                const { xml, version } = await asSaved(name);
                await ask(
                    api.DELETE('/api/v1/projects/{project}', {
                        params: { path: { project: name } },
                        // What can be had back is what is deleted.
                        headers: { 'If-Match': `"${version}"` },
                    }),
                );
                forgetDraft(name);
                await this.look();
                gone.add(name, xml);
            },
        });
    }

    #done(act: () => Promise<unknown>): Promise<Problem | undefined> {
        return refusalOf(async () => {
            await act();
            await this.look();
        });
    }
}

/** A project's file with its text, exactly: an answer that is read as text would lose its byte order mark. */
function asSaved(project: string): Promise<Schemas['EditedProject']> {
    return ask(api.POST('/api/v1/projects/edit', { body: { project } }));
}

// Where a report is read: one of the lab by its name, or the one that a link opens, for whoever has that.

import { api, ask, type Schemas } from '../../api/client';
import { partOf, sharedPartOf } from './asked';

/** What the parts of a report's page ask. */
export interface ReportSource {
    /** The report's name. */
    readonly name: string;
    rows(asked: Record<string, string>): Promise<Schemas['ReportRows']>;
    count(asked: Record<string, string>): Promise<Schemas['ReportCount']>;
    chart(asked: Record<string, string>): Promise<Schemas['ReportChart']>;
    /** The address of its picture, or of a file of all rows. */
    file(part: string, asked: Record<string, string>): string;
}

/** A report of the lab. */
export function ofLab(name: string): ReportSource {
    const params = (asked: Record<string, string>) => ({
        params: { path: { report: name }, query: asked as never },
    });
    return {
        name,
        rows: (asked) => ask(api.GET('/api/v1/reports/{report}/rows', params(asked))),
        count: (asked) => ask(api.GET('/api/v1/reports/{report}/count', params(asked))),
        chart: (asked) => ask(api.GET('/api/v1/reports/{report}/chart', params(asked))),
        file: (part, asked) => partOf(name, part, asked),
    };
}

/** The report that a link opens. */
export function ofLink(link: string, name: string): ReportSource {
    const params = (asked: Record<string, string>) => ({
        params: { path: { link }, query: asked as never },
    });
    return {
        name,
        rows: (asked) => ask(api.GET('/api/v1/shared/{link}/rows', params(asked))),
        count: (asked) => ask(api.GET('/api/v1/shared/{link}/count', params(asked))),
        chart: (asked) => ask(api.GET('/api/v1/shared/{link}/chart', params(asked))),
        file: (part, asked) => sharedPartOf(link, part, asked),
    };
}
